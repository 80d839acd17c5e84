/** Every fault that a seed may turn on, by its letter in the mask. */
const FAULTS = {
  a: 'answers are lost',
  b: 'requests are lost',
  c: 'answers are slow (two modes, 0.2 s and up to 37 s)',
  d: 'server errors before the provider commits',
  e: 'server errors after the provider commits',
  f: '429 and 503 with Retry-After',
  g: 'garbage with status 200, HTML, truncated bodies',
  h: 'episodes of invalid_client',
  i: 'a provider calls everybody dead by mistake, for a while',
  j: 'a provider revokes everybody',
  k: 'database errors before a write applies',
  l: 'commits whose acknowledgement is lost',
  m: 'outages of the database',
  n: 'a slow database',
  o: 'failover of the database to a copy that is behind',
  p: 'nodes crash at random',
  q: 'nodes pause at random',
  r: 'nodes crash or pause exactly at a step of the protocol',
  s: 'clocks are skewed, drift and jump',
  t: 'nodes are cut off from a provider',
  u: 'change notifications come late, twice or not at all',
  v: 'the journal fails to sync, or its disk is lost',
  w: 'people come at the worst moment',
  x: 'users revoke at the provider',
  y: 'nodes are drained and restarted',
  z: 'requests are duplicated by the network',
} as const

export type FaultLetter = keyof typeof FAULTS

export const ALL_FAULTS = Object.keys(FAULTS) as FaultLetter[]

/** The letters of a mask, in order. @throws Error for a letter that is no fault */
export function parseMask(mask: string): string {
  for (const letter of mask === '-' ? '' : mask) if (!(letter in FAULTS)) throw new Error(`there is no fault ${letter}; known are ${ALL_FAULTS.join('')}`)
  return ALL_FAULTS.filter((letter) => mask.includes(letter)).join('') || '-'
}
