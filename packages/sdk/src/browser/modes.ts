import { nothing } from './clock.ts'
import type { SessionMode } from './core.ts'

/** The refresh credential is an HttpOnly cookie that no script sees. For pages on the same site as Evergrant. */
export function cookieSession(): SessionMode {
  return { mode: 'cookie', body: nothing as () => undefined, keep: nothing }
}
