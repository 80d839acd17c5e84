import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

type LinkState = 'healthy' | 'refuse' | 'blackhole' | 'paused' | 'holding' | 'deaf'

interface Pair {
  readonly near: Socket
  readonly far: Socket
}

/** A real TCP proxy in front of a database or a provider, which cuts it off on command. */
export class TcpFaultProxy {
  readonly #server: Server
  readonly #target: { readonly host: string; readonly port: number }
  readonly #pairs = new Set<Pair>()
  #state: LinkState = 'healthy'
  #resetAfter: number | null = null
  #held: { readonly to: Socket; readonly bytes: Buffer }[] = []
  accepted = 0
  /** Bytes that were taken and not passed on, in all. */
  withheld = 0

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(target: { readonly host: string; readonly port: number }): Promise<TcpFaultProxy> {
    const proxy = new TcpFaultProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get open(): number {
    return this.#pairs.size
  }

  /** Resets every connection now and every new one at once. */
  cut(): void {
    this.#state = 'refuse'
    this.reset()
  }

  /** Resets the connections of this moment; new ones are served. */
  reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.destroy()
    }
  }

  /** Takes what either side sends and passes nothing on; new connections are accepted and hear nothing. */
  blackhole(): void {
    this.#state = 'blackhole'
  }

  /** Takes every byte and keeps it; `heal` delivers it, even when the sender is long gone: an orphan that arrives late. */
  hold(): void {
    this.#state = 'holding'
  }

  /** The target hears everything; nothing that it says comes back. `heal` resets such connections. */
  deafen(): void {
    this.#state = 'deaf'
  }

  /** Holds every byte back until `heal`. */
  pause(): void {
    this.#state = 'paused'
    for (const { near, far } of this.#pairs) {
      near.pause()
      far.pause()
    }
  }

  /** Ends the target's side of every connection: the client hears the end and may still talk. */
  halfClose(): void {
    for (const { near } of this.#pairs) near.end()
  }

  /** Resets each connection once the target has answered this many bytes in all from now on; null: never. */
  resetAfter(bytes: number | null): void {
    this.#resetAfter = bytes
  }

  /** Serves again. What a blackhole swallowed stays lost; those connections are reset. */
  heal(): void {
    const was = this.#state
    this.#state = 'healthy'
    this.#resetAfter = null
    if (was === 'blackhole' || was === 'deaf') {
      this.reset()
      return
    }
    if (was === 'holding') return this.#deliver()
    for (const { near, far } of this.#pairs) {
      near.resume()
      far.resume()
    }
  }

  #deliver(): void {
    for (const { to, bytes } of this.#held.splice(0)) {
      if (!to.destroyed && to.writable) to.write(bytes)
    }
    for (const pair of this.#pairs) if (pair.near.destroyed || pair.far.destroyed) this.#gone(pair)
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(near: Socket): void {
    this.accepted += 1
    near.on('error', () => near.destroy())
    if (this.#state === 'refuse') {
      near.resetAndDestroy()
      return
    }
    const far = connect({ ...this.#target, allowHalfOpen: true })
    const pair = { near, far }
    this.#pairs.add(pair)
    far.on('error', () => near.resetAndDestroy())
    near.once('close', () => this.#gone(pair))
    far.once('close', () => this.#gone(pair))
    this.#join(near, far, false)
    this.#join(far, near, true)
    if (this.#state === 'paused') {
      near.pause()
      far.pause()
    }
  }

  #gone(pair: Pair): void {
    if (this.#state === 'holding') return
    this.#pairs.delete(pair)
    if (!pair.near.destroyed) pair.near.destroySoon()
    if (!pair.far.destroyed) pair.far.destroySoon()
  }

  #join(from: Socket, to: Socket, answering: boolean): void {
    from.on('data', (bytes: Buffer) => {
      if (this.#withholds(to, bytes, answering)) return
      if (answering && this.#spend(bytes.length)) {
        to.resetAndDestroy()
        from.destroy()
        return
      }
      if (!to.destroyed && to.writable && !to.write(bytes)) {
        from.pause()
        to.once('drain', () => {
          if (this.#state !== 'paused') from.resume()
        })
      }
    })
    from.on('end', () => {
      if (this.#passes(answering) && !to.destroyed) to.end()
    })
  }

  #passes(answering: boolean): boolean {
    return this.#state !== 'blackhole' && this.#state !== 'holding' && !(this.#state === 'deaf' && answering)
  }

  #withholds(to: Socket, bytes: Buffer, answering: boolean): boolean {
    if (this.#passes(answering)) return false
    this.withheld += bytes.length
    if (this.#state === 'holding') this.#held.push({ to, bytes })
    return true
  }

  /** True when the allowance for answered bytes is used up. */
  #spend(bytes: number): boolean {
    if (this.#resetAfter === null) return false
    this.#resetAfter -= bytes
    return this.#resetAfter < 0
  }
}
