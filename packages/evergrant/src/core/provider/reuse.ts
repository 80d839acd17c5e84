/**
 * What a provider does when the same refresh token is presented a second time (refresh-protocol.md 2.2).
 * P0 reusable; P1 same or sibling answer inside a window; P2 works until the successor is used; P3 refused, family lives
 * on; P4 refused and the family is revoked; PU unknown, treated as P4.
 */
export type ReuseClass = 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'PU'

export interface Reuse {
  readonly class: ReuseClass
  /** The window G of P1, in milliseconds; 0 elsewhere. */
  readonly windowMs: number
  /** The provider revokes other grants of the same user on reuse: never present twice, not even as a late probe. */
  readonly neverProbe: boolean
  /** What is presented are credentials of a grant without a browser, no refresh token. */
  readonly credentials?: true
}
