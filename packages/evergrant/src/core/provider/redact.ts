import { percentEncode } from './form.ts'

const HIDDEN = '[redacted]'
const LONGEST = 500
/** Read at most; the tags of a page come on top of its words. */
const LOOKED_AT = 8_000
/** Beginnings that issuers give their tokens; what follows is secret whatever its length. */
const MARKED = /\b(?:Atz[ar]\||ya29\.|1\/\/|gh[opsur]_|xox[a-z]?[-.]|xapp-|eyJ|egk_)[^\s"'<>,;]+/g
/** A run that no prose contains: 24 characters or more with a digit, or 40 without. */
const OPAQUE = /[A-Za-z0-9_\-.~+=|/%]{24,}/g
/** C0, DEL, C1, line separators, and marks that turn the writing direction. */
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu

/**
 * Makes what a provider said fit for logs, evidence and people: the given secrets and everything that looks like a token
 * are replaced, control characters become spaces, and at most 500 characters remain. Of a `page` only its words are kept.
 */
export function redact(text: string, secrets: readonly string[], page = false): string {
  let clean = text
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length < 4) continue
    clean = clean.replaceAll(secret, HIDDEN).replaceAll(percentEncode(secret), HIDDEN)
  }
  // Cut only now: a secret cut in two would not be recognized.
  clean = clean.slice(0, LOOKED_AT)
  if (page) clean = clean.replace(/<[^<>]{0,2000}>/g, ' ')
  clean = clean.replace(CONTROLS, ' ').replace(MARKED, HIDDEN).replace(OPAQUE, hideOpaque)
  return clean.replace(/ {2,}/g, ' ').trim().slice(0, LONGEST)
}

function hideOpaque(run: string): string {
  const core = run.replace(/^[-.~+=|/%_]+|[-.~+=|/%_]+$/g, '')
  return (core.length >= 24 && /[0-9]/.test(core)) || core.length >= 40 ? HIDDEN : run
}
