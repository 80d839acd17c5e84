import { once } from 'node:events'
import { at } from '../http.ts'
import { until } from '../until.ts'

/** One collection that has grown between two looks, with some of its keys. */
export interface Grown {
  readonly kind: 'Map' | 'Set'
  readonly from: number
  readonly to: number
  readonly keys: readonly string[]
}

const KINDS = ['Map', 'Set'] as const
const MIB = 1024 * 1024
/** The prototypes of classes that extend Map or Set are found, too; they have no size. */
const SIZES = 'function () { return this.map((one) => { try { return one.size } catch { return 0 } }) }'

/** Looks at every Map and Set of a running server through its inspector: those that are there at the first look are counted again at the second. */
export class HeapCensus {
  readonly #socket: WebSocket
  readonly #answers = new Map<number, (message: unknown) => void>()
  readonly #known = new Map<'Map' | 'Set', { readonly objectId: string; readonly sizes: readonly number[] }>()
  #next = 1

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', (event) => {
      const message: unknown = JSON.parse(String(event.data))
      this.#answers.get(Number(at(message, 'id')))?.(message)
      this.#answers.delete(Number(at(message, 'id')))
    })
  }

  /** The process must have been started with `--inspect-port=127.0.0.1:<port>`; the signal opens it. */
  static async of(pid: number, port: number): Promise<HeapCensus> {
    process.kill(pid, 'SIGUSR1')
    let url = ''
    await until('the inspector', async () => {
      const list: unknown = await fetch(`http://127.0.0.1:${port}/json/list`).then(
        (reply) => reply.json(),
        () => null,
      )
      url = String(at(list, '0.webSocketDebuggerUrl') ?? '')
      return url !== ''
    })
    const socket = new WebSocket(url)
    await once(socket, 'open')
    return new HeapCensus(socket)
  }

  close(): void {
    this.#socket.close()
  }

  /** Megabytes in use after a full collection. */
  async heapMib(): Promise<number> {
    await this.#call('HeapProfiler.collectGarbage', {})
    return Number(at(await this.#call('Runtime.getHeapUsage', {}), 'usedSize')) / MIB
  }

  /** Remembers every collection that lives now. */
  async begin(): Promise<void> {
    for (const kind of KINDS) {
      const prototype = at(await this.#call('Runtime.evaluate', { expression: `${kind}.prototype` }), 'result.objectId')
      const objectId = String(at(await this.#call('Runtime.queryObjects', { prototypeObjectId: prototype }), 'objects.objectId'))
      this.#known.set(kind, { objectId, sizes: await this.#ask(objectId, SIZES) })
    }
  }

  /** The collections that have grown most since `begin`, the most grown first. */
  async grown(limit = 3): Promise<readonly Grown[]> {
    const found: Grown[] = []
    for (const [kind, { objectId, sizes }] of this.#known) {
      const now: readonly number[] = await this.#ask(objectId, SIZES)
      const order = now.map((size, index) => ({ index, size, more: size - (sizes[index] ?? 0) })).sort((a, b) => b.more - a.more)
      for (const { index, size } of order.slice(0, limit)) {
        const keys: readonly string[] = await this.#ask(
          objectId,
          `function () { return [...this[${index}].keys()].slice(-3).map((key) => String(key).slice(0, 24)) }`,
        )
        found.push({ kind, from: sizes[index] ?? 0, to: size, keys })
      }
    }
    return found.sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, limit)
  }

  async #ask<Value>(objectId: string, functionDeclaration: string): Promise<Value> {
    const answer = await this.#call('Runtime.callFunctionOn', { objectId, functionDeclaration, returnByValue: true })
    return at(answer, 'result.value') as Value
  }

  #call(method: string, params: unknown): Promise<unknown> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (message) => {
        const error = at(message, 'error.message')
        if (error === undefined) resolve(at(message, 'result'))
        else reject(new Error(`${method}: ${String(error)}`))
      })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }
}
