import { isToken, randomToken, sameSecret } from '../connect/random-token.ts'
import type { Seal } from '../seal/seal.ts'
import type { Entropy } from '../time.ts'
import type { User } from '../user/user.ts'

/**
 * `<device>.<mark>.<mark>`: a browser in which accounts signed in before keeps this text, and has a bucket of its own when it tries again,
 * so that a stranger who guesses at an account cannot keep its owner out. It proves nothing else. A new password makes old marks void.
 */
const PURPOSE = 'known device'
const MARK_LENGTH = 22
/** People share browsers, but not with everybody. */
const ACCOUNTS_MAX = 5
const LENGTH_MAX = 200

type Account = Pick<User, 'id' | 'passwordChangedAt'>

/** The id of the device when this account signed in there before; null when it did not, or says so without having our word. */
export function knownDevice(text: string | null, account: Account, seal: Pick<Seal, 'mac'>): string | null {
  const parts = partsOf(text)
  if (parts === null) return null
  const mark = markOf(parts.device, account, seal)
  return parts.marks.some((held) => sameSecret(held, mark)) ? parts.device : null
}

/** The text that this browser keeps from now on. */
export function rememberDevice(
  text: string | null,
  account: Account,
  { seal, entropy }: { readonly seal: Pick<Seal, 'mac'>; readonly entropy: Entropy },
): string {
  const parts = partsOf(text)
  const device = parts?.device ?? randomToken(entropy)
  const mark = markOf(device, account, seal)
  const others = (parts?.marks ?? []).filter((held) => held !== mark)
  return [device, mark, ...others].slice(0, 1 + ACCOUNTS_MAX).join('.')
}

function partsOf(text: string | null): { readonly device: string; readonly marks: readonly string[] } | null {
  if (text === null || text.length > LENGTH_MAX) return null
  const [device = '', ...marks] = text.split('.')
  return isToken(device) && marks.every((mark) => mark.length === MARK_LENGTH) ? { device, marks } : null
}

function markOf(device: string, { id, passwordChangedAt }: Account, seal: Pick<Seal, 'mac'>): string {
  return seal.mac(PURPOSE, `${device}.${id}.${passwordChangedAt ?? 0}`).slice(0, MARK_LENGTH)
}
