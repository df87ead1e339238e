// Where an MCP App gets everything from: tools of our server that only the page may call.

export class ToolsSource {
  largest = 1024;

  constructor(host) {
    this.host = host;
  }

  async picture(id, edge) {
    const values = { generation_id: id, edge: Math.min(edge, this.largest) };
    const result = await this.host.call("gallery_picture", values);
    const found = result.content.find((block) => block.type === "image");
    return blobOf(found.data, found.mimeType);
  }

  async cards(filters, cursor, limit) {
    return (await this.host.call("gallery_cards", { filters, cursor, limit })).structuredContent;
  }

  async recipe(id) {
    return (await this.host.call("gallery_recipe", { generation_id: id })).structuredContent;
  }

  async job(id) {
    return (await this.host.call("gallery_job", { job_id: id })).structuredContent;
  }

  // The whole file of a video, as an address that a player takes.
  async film(card) {
    const uri = `comfygen://generations/${card.id}/image`;
    const found = await this.host.request("resources/read", { uri });
    const [file] = found.contents;
    return URL.createObjectURL(blobOf(file.blob, file.mimeType ?? card.mime));
  }
}

function blobOf(base64, type) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type });
}
