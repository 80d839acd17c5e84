/** One message of a stream of server-sent events. */
export interface StreamMessage {
  readonly id: string | null
  readonly event: string
  readonly data: string
}

/** Messages out of text that comes in pieces: a piece may end anywhere. Returns those that are complete. */
export function streamParser(): (piece: string) => StreamMessage[] {
  let rest = ''
  return (piece) => {
    const blocks = (rest + piece).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.map(messageOf).filter((message) => message !== null)
  }
}

function messageOf(block: string): StreamMessage | null {
  let [id, event]: [string | null, string] = [null, 'message']
  const data: string[] = []
  for (const line of block.split('\n')) {
    const at = line.indexOf(':')
    if (at === 0) continue
    const field = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '')
    if (field === 'id') id = value
    if (field === 'event') event = value
    if (field === 'data') data.push(value)
  }
  return data.length === 0 && event === 'message' ? null : { id, event, data: data.join('\n') }
}

/** Reads a body to its end and gives every message. Rejects when the stream breaks. */
export async function readStream(body: ReadableStream<Uint8Array>, onMessage: (message: StreamMessage) => void): Promise<void> {
  const parse = streamParser()
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    for (const message of parse(decoder.decode(value, { stream: true }))) onMessage(message)
  }
}
