// Runs in Node 20.19 and newer, in Bun and in Deno. Its first argument is an empty folder.
import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Evergrant, RecoveryDeniedError } from '../../packages/sdk/dist/node/index.js'
import { FakeEvergrant } from '../../packages/sdk/dist/testing/index.js'

const [folder = '', joining] = process.argv.slice(2)
const home = join(folder, 'home')
let passed = 0

function check(title, holds) {
  if (!holds) throw new Error(title)
  passed += 1
}

/** The fake server behind a socket, for the other process. */
async function serve() {
  let fake
  const server = createServer(async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts)
    const answer = await fake.fetch(`${fake.url}${request.url}`, {
      method: request.method,
      headers: Object.entries(request.headers).filter(([, value]) => typeof value === 'string'),
      ...(body.length > 0 ? { body } : {}),
    })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(await answer.text())
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  fake = new FakeEvergrant({ url: `http://127.0.0.1:${server.address().port}` })
  return { fake, close: () => server.close() }
}

/** This file once more in another process, which shares the credential file. */
function another() {
  const run = 'Deno' in globalThis ? ['run', '-A'] : []
  const child = spawn(process.execPath, [...run, fileURLToPath(import.meta.url), folder, 'join'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text
  })
  return new Promise((resolve) => child.on('close', () => resolve(printed.trim())))
}

const options = { log: false, platform: { home, env: { EVERGRANT_KEYCHAIN: '0', PATH: process.env.PATH } } }

if (joining === 'join') {
  const client = await Evergrant.connect(options)
  const { generation } = await client.renew()
  await client.close()
  console.log(generation)
} else {
  const { fake, close } = await serve()
  const client = await Evergrant.connect({ ...options, enrolmentCode: fake.code({ withServer: true }) })
  check('it is enrolled', (await client.whoami()).generation === 1)
  check('the file is for its owner alone', ((await stat(join(home, 'credentials.json'))).mode & 0o777) === 0o600)
  check('it renews itself', (await client.renew()).generation === 2)
  fake.connections.set('con_1', { id: 'con_1', generation: 1, expiresAt: null })
  check('it reads a token', (await client.connections.token('con_1')).access_token === 'token-1')
  check('it sees the proxy', (await (await client.connections.proxy('con_1', 'x')).text()) === 'proxied x')
  check('another process renews the same credential', (await another()) === '3')
  check('and is heard of', (await client.renew()).generation === 3)
  fake.rotate()
  check('it recovers from a Rotate', (await client.renew()).generation === 4)
  check('its key is replaced', (await client.rotateKey()).generation === 5)
  fake.policy.mode = 'off'
  fake.rotate()
  const refused = await client.renew().catch((error) => error)
  check('a recovery that is switched off is said so', refused instanceof RecoveryDeniedError && refused.code === 'recovery_disabled')
  await client.logout()
  check('it is signed out', fake.installations[0].status === 'retired')
  close()
  console.log(`${passed} checks passed`)
}
