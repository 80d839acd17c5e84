import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Letter, Mailer } from '../core/identity/letter.ts'
import type { Log } from '../core/log.ts'
import type { Clock, Entropy } from '../core/time.ts'

const CONNECT_MS = 10_000
const SOCKET_MS = 30_000

/** Loaded with the first letter: most nodes never write one, and its code takes a moment of every start. */
const mailLibrary = () => import('nodemailer')

/** Why a letter was not taken: the mail server's code, never its words, which repeat the recipient. */
class MailError extends Error {
  override readonly name = 'MailError'
}

interface SmtpOptions {
  /** `smtp://user:password@host:587` or `smtps://`. */
  readonly url: string
  /** `Name <address>` or an address. */
  readonly from: string
}

/** Letters over SMTP (RFC 5321). A password travels encrypted only: STARTTLS is asked for, and insisted on unless the server is this machine. */
export function createSmtpMailer({ url, from }: SmtpOptions): Mailer {
  const server = new URL(url)
  const secure = server.protocol === 'smtps:'
  const host = server.hostname.replace(/^\[|\]$/g, '')
  const auth = server.username === '' ? {} : { auth: { user: decodeURIComponent(server.username), pass: decodeURIComponent(server.password) } }
  const transport = once(async () =>
    (await mailLibrary()).createTransport({
      host,
      port: server.port === '' ? (secure ? 465 : 587) : Number(server.port),
      secure,
      requireTLS: server.username !== '' && !isLoopback(host),
      ...auth,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SOCKET_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    }),
  )
  return {
    send: async (letter) => {
      const message = messageOf(letter, from)
      try {
        await (await transport()).sendMail(message)
      } catch (error) {
        throw new MailError(describe(error))
      }
    },
  }
}

interface FileMailboxOptions {
  /** Made when the first letter comes; its files can be read by this user alone. */
  readonly folder: string
  readonly from: string
  readonly log: Pick<Log, 'info'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Pick<Entropy, 'uuid'>
}

/** Where no mail server is set: a file for each letter, for the operator's eyes. */
export function createFileMailbox({ folder, from, log, clock, entropy }: FileMailboxOptions): Mailer {
  const writer = once(async () => (await mailLibrary()).createTransport({ streamTransport: true, buffer: true, newline: 'unix' }))
  return {
    send: async (letter) => {
      const { message } = await (await writer()).sendMail(messageOf(letter, from))
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const file = join(folder, `${clock.wall()}-${entropy.uuid().slice(-8)}.eml`)
      await writeFile(file, message as Buffer, { mode: 0o600, flag: 'wx' })
      log.info({ file }, 'no mail server is set: the letter is in this file')
    },
  }
}

/** One plain address: a list, a quoted name or a comment would be read by the mail library in its own way. */
const ADDRESS = /^[^\s<>()[\],;:"\\@]{1,64}@[^\s<>()[\],;:"\\@]{1,190}$/

/** `Auto-Submitted`: no out-of-office answers (RFC 3834). @throws MailError */
function messageOf({ to, subject, text, html }: Letter, from: string) {
  if (!ADDRESS.test(to)) throw new MailError('EADDRESS')
  return { from, to: { name: '', address: to }, subject, text, ...(html === undefined ? {} : { html }), headers: { 'Auto-Submitted': 'auto-generated' } }
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  const answer = 'responseCode' in error && typeof error.responseCode === 'number' ? `, answered ${error.responseCode}` : ''
  return `${code}${answer}`
}
