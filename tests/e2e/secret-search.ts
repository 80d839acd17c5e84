import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Any so many characters of a secret count as a leak of it. */
const SHINGLE = 12

/** Finds planted values in text and bytes: raw, URL-encoded, JSON-escaped, hexadecimal and base64, whole or in pieces. */
export class SecretSearch {
  readonly #pieces = new Map<string, string>()
  readonly #planted = new Set<string>()

  /** `what` names the value in a finding; the value itself is never printed. */
  plant(what: string, secret: string): string {
    if (this.#planted.has(secret)) return secret
    this.#planted.add(secret)
    for (const form of formsOf(secret)) {
      for (let at = 0; at + SHINGLE <= form.length; at += 1) this.#pieces.set(form.slice(at, at + SHINGLE), what)
    }
    return secret
  }

  get size(): number {
    return this.#planted.size
  }

  /** What was found where, for a readable failure: empty when nothing was. */
  find(where: string, content: string | Uint8Array): readonly string[] {
    const text = typeof content === 'string' ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1')
    const found = new Set<string>()
    // Long runs of zeros (a preallocated file) hold nothing.
    for (const part of text.split(/\0+/)) {
      for (let at = 0; at + SHINGLE <= part.length; at += 1) {
        const what = this.#pieces.get(part.slice(at, at + SHINGLE))
        if (what !== undefined) found.add(`${what} in ${where}`)
      }
    }
    return [...found]
  }

  /** Every file under a folder. */
  findInFiles(folder: string): { readonly files: readonly string[]; readonly found: readonly string[] } {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    return { files, found: files.flatMap((file) => this.find(file.slice(folder.length + 1), readFileSync(file))) }
  }
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const form = new URLSearchParams({ v: secret }).toString().slice(2)
  // Base64 of a longer text that has the secret at any offset: the first and last characters depend on its neighbours.
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(offset === 0 ? 0 : offset + 1, -1)
  })
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  return [secret, form, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), bytes.toString('hex'), ...base64, ...base64url]
}
