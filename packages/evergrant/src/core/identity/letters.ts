import type { Role } from '../user/user.ts'
import type { Letter } from './letter.ts'

/** What every letter needs to know of this server. */
export interface Sender {
  /** Without a slash at the end. */
  readonly publicUrl: string
  /** What people call the application. */
  readonly application: string
}

/** The token stands behind `#`: it reaches no server log, and a scanner that opens links spends nothing. */
function link(sender: Sender, page: 'verify' | 'reset' | 'invitation', token: string): string {
  return `${sender.publicUrl}/auth/${page}#${token}`
}

/** Names that people gave themselves stand in a letter of ours: one line, no control characters, not long enough to be a message. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/:\/\/|www\./gi, ' ')
    .slice(0, 60)
    .trim()
}

function letter(to: string, subject: string, paragraphs: readonly string[], sender: Sender): Letter {
  return { to, subject, text: `${[...paragraphs, `${plain(sender.application)}\n${sender.publicUrl}`].join('\n\n')}\n` }
}

export function signUpLetter(to: string, token: string, sender: Sender): Letter {
  return letter(
    to,
    `Finish signing up at ${plain(sender.application)}`,
    [
      'Open this page to choose a password. Your account is ready after that:',
      link(sender, 'verify', token),
      'The link works once, and for 24 hours.',
      'If you did not ask for this, you need not do anything: without the link there is no account.',
    ],
    sender,
  )
}

export function alreadyThereLetter(to: string, sender: Sender): Letter {
  return letter(
    to,
    `You already have an account at ${plain(sender.application)}`,
    [
      'Somebody, probably you, tried to sign up with this address. There is an account for it already, so nothing was changed.',
      `Sign in: ${sender.publicUrl}/auth/sign-in`,
      `Forgotten the password? ${sender.publicUrl}/auth/forgot`,
    ],
    sender,
  )
}

export function verifyLetter(to: string, token: string, sender: Sender): Letter {
  return letter(
    to,
    'Please confirm your address',
    ['Open this page to confirm that this is your address:', link(sender, 'verify', token), 'The link works once, and for 24 hours.'],
    sender,
  )
}

export function resetLetter(to: string, token: string, sender: Sender): Letter {
  return letter(
    to,
    `A new password for ${plain(sender.application)}`,
    [
      'Open this page to choose a new password:',
      link(sender, 'reset', token),
      'The link works once, and for one hour.',
      'If you did not ask for this, you need not do anything: your password stays as it is.',
    ],
    sender,
  )
}

export function passwordChangedLetter(to: string, sender: Sender): Letter {
  return letter(
    to,
    'Your password was changed',
    [
      `The password of your account at ${plain(sender.application)} was changed just now. All other devices were signed out.`,
      `If that was not you, choose a new one at once: ${sender.publicUrl}/auth/forgot`,
    ],
    sender,
  )
}

export function factorLetter(to: string, what: 'added' | 'removed', name: string, sender: Sender): Letter {
  return letter(
    to,
    what === 'added' ? 'A second step was added' : 'A second step was removed',
    [
      `"${plain(name)}" was ${what} ${what === 'added' ? 'to' : 'from'} your account at ${plain(sender.application)}.`,
      `If that was not you, choose a new password at once, and look at your devices: ${sender.publicUrl}/auth/forgot`,
    ],
    sender,
  )
}

export function invitationLetter(
  to: string,
  token: string,
  about: { readonly organization: string; readonly role: Role; readonly from: string | null },
  sender: Sender,
): Letter {
  const who = about.from === null ? 'You are' : `${plain(about.from)} has`
  const invited = about.from === null ? 'invited' : 'invited you'
  return letter(
    to,
    `Your invitation to ${plain(about.organization)}`,
    [
      `${who} ${invited} to ${plain(about.organization)} as ${about.role}.`,
      'Open this page to accept:',
      link(sender, 'invitation', token),
      'The link works once, and for 7 days.',
    ],
    sender,
  )
}
