// A receiver of webhooks, as a process that can be killed: fails half of the time, and writes down what it verified before it answers.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'

const [port = '0', secret = '', file = '', seed = '1'] = process.argv.slice(2)
const webhook = new Webhook(secret)
let state = Number(seed)

/** Park and Miller: the same run for the same seed. */
function uniform(): number {
  state = (state * 48_271) % 2_147_483_647
  return state / 2_147_483_647
}

const server = createServer((request, answer) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8')
    const header = (name: string) => String(request.headers[name] ?? '')
    const headers = { 'webhook-id': header('webhook-id'), 'webhook-timestamp': header('webhook-timestamp'), 'webhook-signature': header('webhook-signature') }
    // The sender's clock is moved by hand: its days pass in seconds, so this one follows it.
    Date.now = () => Number(headers['webhook-timestamp']) * 1_000
    let verdict = 'forged'
    try {
      webhook.verify(body, headers)
      verdict = uniform() < 0.5 ? 'failed' : 'taken'
    } catch {
      verdict = 'forged'
    }
    appendFileSync(file, `${verdict} ${headers['webhook-id']}\n`)
    process.send?.(verdict)
    answer.writeHead(verdict === 'taken' ? 204 : 500).end()
  })
})
server.listen(Number(port), '127.0.0.1', () => process.send?.('ready'))
