"""Contact sheets: pictures side by side, labelled, under the prompt that they were made from."""
