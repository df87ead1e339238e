"""Services: what the product does, in terms of the nouns; tools and commands are thin covers over them."""
