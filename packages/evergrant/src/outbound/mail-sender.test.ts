import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Letter, Postbox } from '../core/identity/letter.ts'
import type { Log } from '../core/log.ts'
import { systemClock, systemEntropy } from '../system.ts'
import { createManualTime } from '../testing/manual-time.ts'
import { createFileMailbox, createSmtpMailer } from './mail-sender.ts'

const LETTER: Letter = { to: 'ana@example.com', subject: 'Grüße an Ana', text: 'Open this page:\n\nhttps://evergrant.example/auth/reset#token\n' }
const FROM = 'Example <hello@example.com>'

interface MailServer {
  readonly url: string
  readonly messages: { readonly from: string; readonly to: string; readonly data: string }[]
  readonly logins: string[]
  close(): Promise<void>
}

/** As much of RFC 5321 as a sender needs. `refuse`: answers to RCPT, one for each message, before it takes any. */
async function mailServer(refuse: string[] = []): Promise<MailServer> {
  const messages: MailServer['messages'] = []
  const logins: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    let [from, to, data, reading, rest] = ['', '', '', false, '']
    const say = (line: string) => socket.write(`${line}\r\n`)
    const command = (line: string): void => {
      if (reading) {
        if (line !== '.') {
          data += `${line}\n`
          return
        }
        reading = false
        messages.push({ from, to, data })
        return void say('250 taken')
      }
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'EHLO') return void socket.write('250-mail.test\r\n250 AUTH PLAIN\r\n')
      if (verb === 'AUTH') {
        logins.push(
          Buffer.from(line.split(' ')[2] ?? '', 'base64')
            .toString('utf8')
            .replaceAll('\0', ' ')
            .trim(),
        )
        return void say('235 welcome')
      }
      if (verb === 'STAR') return void say('502 no TLS here')
      if (verb === 'MAIL') from = /<(.*)>/.exec(line)?.[1] ?? ''
      if (verb === 'RCPT') {
        const refusal = refuse.shift()
        if (refusal !== undefined) return void say(refusal)
        to = /<(.*)>/.exec(line)?.[1] ?? ''
      }
      if (verb === 'DATA') {
        reading = true
        data = ''
        return void say('354 go on')
      }
      if (verb === 'QUIT') return void socket.end('221 bye\r\n')
      say('250 ok')
    }
    say('220 mail.test')
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) command(line)
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    messages,
    logins,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function opened(refuse: string[] = []): Promise<MailServer> {
  const server = await mailServer(refuse)
  closing.push(() => server.close())
  return server
}

test('a letter goes over SMTP as plain text, marked as sent by a program, with the name and password of the URL', async () => {
  const server = await opened()
  await createSmtpMailer({ url: server.url.replace('smtp://', 'smtp://mailer%40example.com:pass%3Aword@'), from: FROM }).send(LETTER)
  expect(server.logins).toEqual(['mailer@example.com pass:word'])
  expect(server.messages).toHaveLength(1)
  const [message] = server.messages
  expect(message).toMatchObject({ from: 'hello@example.com', to: 'ana@example.com' })
  expect(message?.data).toContain('Content-Type: text/plain; charset=utf-8')
  expect(message?.data).toContain('Auto-Submitted: auto-generated')
  expect(message?.data).toContain('https://evergrant.example/auth/reset#token')
  expect(message?.data).toMatch(/^Subject: =\?UTF-8\?/m)
  expect(message?.data).not.toContain('<html')
})

test('a password never travels in clear to another machine: without TLS the letter is refused', async () => {
  const server = await opened()
  const { port } = new URL(server.url)
  // This machine, under an address that the mailer does not take for it.
  const mailer = createSmtpMailer({ url: `smtp://name:secret@0.0.0.0:${port}`, from: FROM })
  await expect(mailer.send(LETTER)).rejects.toThrow(/ETLS/)
  expect(server.logins).toEqual([])
})

test('a name or subject cannot add headers or recipients', async () => {
  const server = await opened()
  const mailer = createSmtpMailer({ url: server.url, from: FROM })
  await mailer.send({ ...LETTER, subject: 'Hello\r\nBcc: eve@evil.example' }).catch(() => {})
  for (const to of ['ana@example.com, eve@evil.example', 'ana@example.com>\r\nRCPT TO:<eve@evil.example', '"ana@example.com eve"@evil.example', 'ana'])
    await expect(mailer.send({ ...LETTER, to })).rejects.toThrow('EADDRESS')
  for (const { to, data } of server.messages) {
    expect(to).not.toContain('evil')
    expect(data).not.toMatch(/^Bcc:/m)
  }
})

test('what the mail server refuses is tried again, and its words, which name the recipient, stay out of the log', async () => {
  const server = await opened(['451 greylisted <ana@example.com>', '451 greylisted <ana@example.com>'])
  const time = createManualTime()
  const logged: string[] = []
  const note = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { info: note, warn: note, error: note }
  const postbox = new Postbox({ mailer: createSmtpMailer({ url: server.url, from: FROM }), timers: time.timers, log })
  let failed = 0
  postbox.post(LETTER, 'reset password', () => (failed += 1))
  await expect.poll(() => logged.length).toBe(1)
  await time.advance(5_000)
  await expect.poll(() => logged.length).toBe(2)
  await time.advance(30_000)
  await postbox.settled()
  expect(server.messages).toHaveLength(1)
  expect(failed).toBe(0)
  expect(logged[0]).toContain('EENVELOPE, answered 451')
  expect(logged.join(' ')).not.toContain('ana@example.com')
})

test('a letter that nobody takes is given up after the last try, and somebody is told once', async () => {
  const time = createManualTime()
  const errors: string[] = []
  const log: Log = { info: () => {}, warn: () => {}, error: (fields) => void errors.push(JSON.stringify(fields)) }
  let tries = 0
  const mailer = {
    send: () => {
      tries += 1
      return Promise.reject(new Error('away'))
    },
  }
  const postbox = new Postbox({ mailer, timers: time.timers, log })
  let failed = 0
  postbox.post(LETTER, 'invitation', () => (failed += 1))
  await time.advance(3_600_000)
  await postbox.settled()
  expect({ tries, failed, errors }).toEqual({ tries: 5, failed: 1, errors: ['{"purpose":"invitation","error":"away"}'] })
})

test('without a mail server each letter is a file that its owner alone can read, and the log names it', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'evergrant-mail-')), 'mailbox')
  closing.push(() => rmSync(join(folder, '..'), { recursive: true, force: true }))
  const named: unknown[] = []
  const mailbox = createFileMailbox({
    folder,
    from: FROM,
    log: { info: (fields) => void named.push(fields['file']) },
    clock: systemClock,
    entropy: systemEntropy,
  })
  await mailbox.send(LETTER)
  await mailbox.send(LETTER)
  const files = readdirSync(folder)
  expect(files).toHaveLength(2)
  expect(named.map(String).sort()).toEqual(files.map((file) => join(folder, file)).sort())
  const file = join(folder, files[0] ?? '')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  const text = readFileSync(file, 'utf8')
  expect(text).toContain('To: ana@example.com')
  expect(text).toContain('https://evergrant.example/auth/reset#token')
})
