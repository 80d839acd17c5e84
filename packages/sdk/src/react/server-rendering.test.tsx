import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { ConnectionBadge, ConnectionStatusBanner, ReconnectButton, SessionGate, useConnection, useSession } from './index.ts'
import { broken, createWorld, Within } from './testing/world.tsx'

function State() {
  return <p>{`${useSession().status}, ${useConnection('con_1').status}`}</p>
}

test('on a server everything renders, nobody is known, and nothing is asked', () => {
  const world = createWorld({ connections: [broken()] })
  const html = renderToString(
    <Within world={world}>
      <SessionGate pending="one moment">secret</SessionGate>
      <State />
      <ConnectionStatusBanner />
      <ConnectionBadge connectionId="con_1" />
      <ReconnectButton connectionId="con_1" />
    </Within>,
  )
  expect(html).toContain('one moment')
  expect(html).not.toContain('secret')
  expect(html).toContain('unknown, unknown')
  expect(html).toContain('Reconnect the provider')
  expect(html).not.toMatch(/<style|style=/)
  expect(world.calls).toEqual([])
})

test('two requests on one server do not see each other', async () => {
  const [one, other] = [createWorld(), createWorld({ refresh: { status: 401, code: 'session_missing' } })]
  await Promise.all([one.client.refresh(), other.client.refresh()])
  const page = (world: typeof one): string =>
    renderToString(
      <Within world={world}>
        <State />
      </Within>,
    )
  // The server's snapshot is the same for both, whatever their clients know: the browser takes over from it.
  expect([page(one), page(other)]).toEqual(['<p>unknown, unknown</p>', '<p>unknown, unknown</p>'])
  expect([one.client.getState().status, other.client.getState().status]).toEqual(['authenticated', 'signed_out'])
})
