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
function link(sender: Sender, page: LinkLetter['page'], token: string): string {
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

interface LinkLetter {
  readonly subject: string
  /** Before the link. */
  readonly text: string | readonly string[]
  readonly page: 'verify' | 'reset' | 'invitation'
  readonly life: string
  /** What happens when one does nothing. */
  readonly ignored?: string
}

/** A letter with a link that works once. */
function linkLetter(to: string, token: string, { subject, text, page, life, ignored }: LinkLetter, sender: Sender): Letter {
  const after = [
    `The link works once, and for ${life}.`,
    ...(ignored === undefined ? [] : [`If you did not ask for this, you need not do anything: ${ignored}`]),
  ]
  return letter(to, subject, [text, link(sender, page, token), after].flat(), sender)
}

export function signUpLetter(to: string, token: string, sender: Sender): Letter {
  return linkLetter(
    to,
    token,
    {
      subject: `Finish signing up at ${plain(sender.application)}`,
      text: 'Open this page to choose a password. Your account is ready after that:',
      page: 'verify',
      life: '24 hours',
      ignored: 'without the link there is no account.',
    },
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
  const text = 'Open this page to confirm that this is your address:'
  return linkLetter(to, token, { subject: 'Please confirm your address', text, page: 'verify', life: '24 hours' }, sender)
}

export function resetLetter(to: string, token: string, sender: Sender): Letter {
  const subject = `A new password for ${plain(sender.application)}`
  const ignored = 'your password stays as it is.'
  return linkLetter(to, token, { subject, text: 'Open this page to choose a new password:', page: 'reset', life: 'one hour', ignored }, sender)
}

/** Tells the mailbox of a change that a thief would make, and what to do then. */
function changeLetter(
  to: string,
  { subject, text, remedy }: { readonly subject: string; readonly text: string; readonly remedy: string },
  sender: Sender,
): Letter {
  return letter(to, subject, [text, `If that was not you, ${remedy}: ${sender.publicUrl}/auth/forgot`], sender)
}

export function passwordChangedLetter(to: string, sender: Sender): Letter {
  const text = `The password of your account at ${plain(sender.application)} was changed just now. All other devices were signed out.`
  return changeLetter(to, { subject: 'Your password was changed', text, remedy: 'choose a new one at once' }, sender)
}

export function factorLetter(to: string, what: 'added' | 'removed', name: string, sender: Sender): Letter {
  const text = `"${plain(name)}" was ${what} ${what === 'added' ? 'to' : 'from'} your account at ${plain(sender.application)}.`
  const remedy = 'choose a new password at once, and look at your devices'
  return changeLetter(to, { subject: `A second step was ${what}`, text, remedy }, sender)
}

export function factorsRemovedLetter(to: string, sender: Sender): Letter {
  const text = `Every second step of your account at ${plain(sender.application)} was removed on the machine of the server, because you lost them all. All devices were signed out. Add a new one when you sign in.`
  const remedy = 'choose a new password at once, and tell whoever runs the server'
  return changeLetter(to, { subject: 'All your second steps were removed', text, remedy }, sender)
}

export function invitationLetter(
  to: string,
  token: string,
  about: { readonly organization: string; readonly role: Role; readonly from: string | null },
  sender: Sender,
): Letter {
  const organization = plain(about.organization)
  const invited = about.from === null ? 'You are invited' : `${plain(about.from)} has invited you`
  const text = [`${invited} to ${organization} as ${about.role}.`, 'Open this page to accept:']
  return linkLetter(to, token, { subject: `Your invitation to ${organization}`, text, page: 'invitation', life: '7 days' }, sender)
}
