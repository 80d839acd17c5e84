import { Fault, type Seal } from '../../../evergrant/src/engine.ts'

type SealContext = Parameters<Seal['seal']>[1]

interface Sealed {
  readonly plain: string | Uint8Array
  readonly context: SealContext
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** A seal without ciphers: the bytes only name the value, and a value opens nowhere but where it was sealed. */
export class SimSeal implements Seal {
  readonly #values: Sealed[] = []

  seal(plain: string | Uint8Array, context: SealContext): Uint8Array {
    const id = this.#values.push({ plain, context }) - 1
    return Uint8Array.of(0x5e, id & 0xff, (id >>> 8) & 0xff, (id >>> 16) & 0xff, id >>> 24)
  }

  open(sealed: Uint8Array, context: SealContext): Uint8Array {
    const { plain } = this.#opened(sealed, context)
    return typeof plain === 'string' ? encoder.encode(plain) : plain
  }

  openText(sealed: Uint8Array, context: SealContext): string {
    const { plain } = this.#opened(sealed, context)
    return typeof plain === 'string' ? plain : decoder.decode(plain)
  }

  /** For checkers: what stands in a sealed value, wherever it is. */
  see(sealed: Uint8Array): string | null {
    const value = this.#values[idOf(sealed)]
    if (value === undefined) return null
    return typeof value.plain === 'string' ? value.plain : decoder.decode(value.plain)
  }

  fingerprint(secret: string): string {
    return `f${hash(secret)}`
  }

  mac(purpose: string, data: string): string {
    return `m${hash(purpose)}${hash(data)}`
  }

  digest(value: string | Uint8Array): string {
    return `d${typeof value === 'string' ? hash(value) : hashBytes(value)}`
  }

  #opened(sealed: Uint8Array, context: SealContext): Sealed {
    const value = this.#values[idOf(sealed)]
    const home = value?.context
    const belongs =
      home !== undefined &&
      home.row === context.row &&
      home.column === context.column &&
      home.table === context.table &&
      home.organization === context.organization
    if (value === undefined || !belongs) throw new Fault('seal_broken', { detail: 'a sealed value does not belong to its row' })
    return value
  }
}

function idOf(sealed: Uint8Array): number {
  if (sealed.length !== 5 || sealed[0] !== 0x5e) return -1
  return (sealed[1] ?? 0) | ((sealed[2] ?? 0) << 8) | ((sealed[3] ?? 0) << 16) | ((sealed[4] ?? 0) << 24)
}

function hash(text: string): string {
  let one = 0x811c9dc5
  let two = 0x01000193
  for (let at = 0; at < text.length; at++) {
    one = Math.imul(one ^ text.charCodeAt(at), 0x01000193)
    two = Math.imul(two ^ text.charCodeAt(at), 0x85ebca6b) ^ (two >>> 13)
  }
  return (one >>> 0).toString(16) + (two >>> 0).toString(16)
}

function hashBytes(bytes: Uint8Array): string {
  let one = 0x811c9dc5
  for (const byte of bytes) one = Math.imul(one ^ byte, 0x01000193)
  return (one >>> 0).toString(16) + bytes.length.toString(16)
}
