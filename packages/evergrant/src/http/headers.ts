/** The same for every answer; a page may loosen the content policy for its own style sheet, nothing else. */
const EVERY_ANSWER: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

const ONE_YEAR = 'max-age=31536000; includeSubDomains'

/** Headers of every answer. Strict transport is promised only where the public address is https. `byOrigin`: the answer depends on the asking page's origin. */
export function answerHeaders(publicUrl: string, byOrigin: boolean): Readonly<Record<string, string>> {
  const strict = publicUrl.startsWith('https:') ? { 'strict-transport-security': ONE_YEAR } : {}
  return { ...EVERY_ANSWER, ...strict, ...(byOrigin ? { vary: 'Origin' } : {}) }
}

/** For HTML of ours: one style sheet of our own, no script, nothing from elsewhere. */
export const PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
