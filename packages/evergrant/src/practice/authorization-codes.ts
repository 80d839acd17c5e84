import { createHash, randomBytes } from 'node:crypto'
import type { Grant } from './grant-book.ts'

export interface AuthorizationRequest {
  readonly profile: string
  readonly client: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly state: string | null
  readonly nonce: string | null
  readonly challenge: string | null
  readonly responseMode: 'query' | 'form_post'
}

export interface AuthorizationCode {
  readonly request: AuthorizationRequest
  readonly account: string
  readonly scopes: readonly string[]
  readonly expiresAt: number
  /** The grant that came out when it was spent. */
  grant: Grant | null
}

const KEPT = 10_000

/** Codes live for the profile's `codeSeconds` and can be spent once. */
export class AuthorizationCodes {
  readonly #codes = new Map<string, AuthorizationCode>()

  issue(request: AuthorizationRequest, account: string, scopes: readonly string[], expiresAt: number): string {
    if (this.#codes.size >= KEPT) this.#forgetOldest()
    const code = `code_${randomBytes(24).toString('base64url')}`
    this.#codes.set(code, { request, account, scopes, expiresAt, grant: null })
    return code
  }

  find(code: string): AuthorizationCode | undefined {
    return this.#codes.get(code)
  }

  #forgetOldest(): void {
    for (const [code] of this.#codes) {
      this.#codes.delete(code)
      return
    }
  }
}

/** RFC 7636 section 4.6, S256 only. */
export function provesChallenge(challenge: string, verifier: string): boolean {
  return /^[A-Za-z0-9\-._~]{43,128}$/.test(verifier) && createHash('sha256').update(verifier).digest('base64url') === challenge
}
