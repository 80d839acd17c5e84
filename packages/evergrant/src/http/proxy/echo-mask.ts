import { pipeline, type Readable, Transform } from 'node:stream'

/**
 * Shorter than any token that a provider gives out: masking it would spoil bodies by chance. And where an API repeats what it is
 * sent, a masked guess would tell whoever guesses a short password that it is right.
 */
const SHORTEST = 16
const STAR = 0x2a
const NOTHING = Buffer.alloc(0)

/** A secret as it is, in a URL, in a form and in JSON. */
export function echoesOf(secrets: readonly string[]): readonly string[] {
  const forms = secrets.flatMap((secret) => {
    const encoded = encodeURIComponent(secret)
    return [secret, encoded, encoded.replaceAll('%20', '+'), JSON.stringify(secret).slice(1, -1), secret.replaceAll('/', '\\/')]
  })
  return [...new Set(forms)]
}

/**
 * The body with every echo of a secret as stars, so that a key that may only use a token never sees it. The length
 * stays the same. What may be the beginning of an echo is held back until the next piece; nothing else waits.
 */
export function withoutEcho(body: Buffer | Readable, secrets: readonly string[]): Buffer | Readable {
  const forms = echoesOf(secrets.filter((secret) => secret.length >= SHORTEST)).map((form) => Buffer.from(form))
  if (forms.length === 0) return body
  if (Buffer.isBuffer(body)) return masked(body, forms)
  // Whichever side ends or breaks off, the other one does: what went wrong is the reader's to see.
  return pipeline(body, masking(forms), () => {})
}

function masking(forms: readonly Buffer[]): Transform {
  let held: Buffer = NOTHING
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      // A copy of every piece would be garbage as large as the body.
      const whole = masked(held.length === 0 ? piece : Buffer.concat([held, piece]), forms)
      const ready = whole.length - Math.max(...forms.map((form) => beginningAtEnd(whole, form)))
      held = ready === whole.length ? NOTHING : Buffer.from(whole.subarray(ready))
      done(null, ready === whole.length ? whole : whole.subarray(0, ready))
    },
    flush: (done) => done(null, held),
  })
}

function masked(body: Buffer, forms: readonly Buffer[]): Buffer {
  if (!forms.some((form) => body.includes(form))) return body
  const clean = Buffer.from(body)
  for (const form of forms) for (let at = clean.indexOf(form); at >= 0; at = clean.indexOf(form, at + form.length)) clean.fill(STAR, at, at + form.length)
  return clean
}

/** Bytes at the end that may be the beginning of the form. */
function beginningAtEnd(body: Buffer, form: Buffer): number {
  const first = form[0] ?? 0
  for (let at = body.indexOf(first, Math.max(0, body.length - form.length + 1)); at >= 0; at = body.indexOf(first, at + 1)) {
    if (form.subarray(0, body.length - at).equals(body.subarray(at))) return body.length - at
  }
  return 0
}
