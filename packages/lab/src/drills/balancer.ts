import { Agent } from 'node:http'
import { type Answered, type Sent, sendOnce } from '../kept-request.ts'
import { rest } from '../until.ts'

const ROUNDS = 100
const PAUSE_MS = 100
const PROBE_EVERY_MS = 100

interface Node {
  readonly url: string
  readonly agent: Agent
  ready: boolean
}

/**
 * A load balancer as plain as they come: it asks each node whether it is ready, sends each request to the next one that is, over kept connections, and
 * to another one when the connection is refused. Nothing that reached a node is sent twice, so an answer that never comes is a failure.
 */
export class Balancer {
  /** Requests that found their node gone and went to another one. */
  refused = 0
  readonly #nodes: readonly Node[]
  #turn = 0
  #open = true

  constructor(urls: readonly string[]) {
    this.#nodes = urls.map((url) => ({ url, agent: new Agent({ keepAlive: true, maxSockets: 64 }), ready: true }))
    for (const node of this.#nodes) void this.#probe(node)
  }

  /** @throws Error when the connection ends without an answer, or no node takes one for ten seconds */
  async send(sent: Sent): Promise<Answered> {
    for (let round = 1; ; round += 1) {
      for (const _ of this.#nodes) {
        const { url, agent } = this.#next()
        try {
          return await sendOnce(agent, url, sent)
        } catch (error) {
          if (!isRefused(error) || round === ROUNDS) throw error
          this.refused += 1
        }
      }
      await rest(PAUSE_MS)
    }
  }

  close(): void {
    this.#open = false
    for (const { agent } of this.#nodes) agent.destroy()
  }

  /** The next one that is ready; when none is, the next one. */
  #next(): Node {
    for (let step = 0; ; step += 1) {
      const node = this.#nodes[this.#turn++ % this.#nodes.length]
      if (node === undefined) throw new Error('a balancer needs a node')
      if (node.ready || step >= this.#nodes.length) return node
    }
  }

  async #probe(node: Node): Promise<void> {
    while (this.#open) {
      node.ready = await fetch(`${node.url}/health/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
      await rest(PROBE_EVERY_MS)
    }
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}
