// Goes through a server as an operator would: what is ready, what is blocked, what hopes, who has to act. Plain requests, no package.
// EVERGRANT=http://localhost:4400 KEY=egk_... node recovery-walk.mjs
// Exit code 0: nothing is left for an operator. 1: something is. 2: the server did not answer.

const { EVERGRANT = 'http://localhost:4400', KEY = '' } = process.env
const told = { ready: false, tried: 0, recovered: 0, links: 0, operator: 0 }

/** @returns {Promise<{ status: number, body: any }>} */
async function ask(method, path, body) {
  const response = await fetch(`${EVERGRANT}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {} }
}

/** Every item of a list, page by page. */
async function* all(path) {
  let cursor = null
  do {
    const next = cursor === null ? '' : `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`
    const { status, body } = await ask('GET', `/api/v1/${path}${next}`)
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.code ?? ''} ${body.detail ?? ''}`)
    yield* body.items
    cursor = body.cursor
  } while (cursor !== null)
}

function say(what, words) {
  console.log(`${what.padEnd(10)} ${words}`)
}

function operator(words) {
  told.operator += 1
  say('operator', words)
}

const named = ({ id, owner, integration }) => `${id} (${owner}, ${integration})`

async function walk() {
  const health = await ask('GET', '/health/ready')
  told.ready = health.status === 200
  if (told.ready) say('ready', 'the server takes requests')
  else operator(`the server is not ready: ${JSON.stringify(health.body)}`)

  for await (const { slug, blocked, deaths_held: held } of all('integrations')) {
    if (blocked) operator(`${slug} is blocked: the provider refuses its client. Correct it with \`evergrant integrations update ${slug}\``)
    if (held) operator(`${slug}: many grants seem to be over. Look, then \`evergrant integrations deaths ${slug} confirm\` or \`release\``)
  }

  for await (const connection of all('connections?status=degraded')) {
    told.tried += 1
    const { status, body } = await ask('POST', `/api/v1/connections/${connection.id}/refresh`)
    if (status === 200) told.recovered += 1
    say('tried', `${named(connection)}: ${status === 200 ? 'it works again' : `${body.code}, next try ${body.retry_at ?? 'later, by itself'}`}`)
  }

  for await (const connection of all('connections?status=needs_reauth')) {
    const { status, body } = await ask('POST', `/api/v1/connections/${connection.id}/reconnect`, {})
    if (status !== 201) {
      operator(`${named(connection)} needs its owner, and no link could be made: ${body.code} ${body.detail ?? ''}`)
      continue
    }
    told.links += 1
    say('owner', `${named(connection)}: ${connection.fault?.code ?? 'needs_reauth'}. Send: ${body.url}`)
  }
}

try {
  await walk()
  process.exitCode = told.operator === 0 ? 0 : 1
} catch (error) {
  console.error(`${EVERGRANT} did not answer as expected: ${error.message}${error.cause ? ` (${error.cause.message})` : ''}`)
  process.exitCode = 2
}
console.log(JSON.stringify(told))
