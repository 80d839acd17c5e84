// @vitest-environment happy-dom
import { act, cleanup, screen } from '@testing-library/react'
import { type ReactElement, startTransition, useState } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, expect, test, vi } from 'vitest'
import { ConnectionBadge, ConnectionStatusBanner, SessionGate, useConnection } from './index.ts'
import { broken, connection, createWorld, Within, type World } from './testing/world.tsx'

afterEach(() => {
  cleanup()
  document.body.innerHTML = ''
  vi.restoreAllMocks()
})

const page = (world: World): ReactElement => (
  <Within world={world}>
    <SessionGate pending="one moment">
      <h1>Welcome</h1>
    </SessionGate>
    <ConnectionStatusBanner />
    <ConnectionBadge connectionId="con_1" />
  </Within>
)

test('a page from the server is taken over without a difference, even when the browser knows more already', async () => {
  const errors = vi.spyOn(console, 'error')
  const container = document.body.appendChild(document.createElement('div'))
  container.innerHTML = renderToString(page(createWorld()))
  const world = createWorld({ connections: [broken()] })
  await world.client.refresh()
  await world.client.connections.list()
  const recoverable = vi.fn()
  await act(async () => hydrateRoot(container, page(world), { onRecoverableError: recoverable }))
  expect(container.textContent).toContain('Welcome')
  await screen.findByText('Google access was removed')
  expect(recoverable).not.toHaveBeenCalled()
  expect(errors).not.toHaveBeenCalled()
  world.client.dispose()
})

let again: () => void = () => undefined
function Reader(): ReactElement {
  return <i>{useConnection('con_1').status}</i>
}
function Readers(): ReactElement {
  const [round, setRound] = useState(0)
  again = () => startTransition(() => setRound(round + 1))
  return (
    <div data-round={round}>
      {['a', 'b', 'c', 'd', 'e'].map((key) => (
        <Reader key={key} />
      ))}
    </div>
  )
}

test('a change in the middle of a transition tears nothing', async () => {
  const world = createWorld({ connections: [connection()] })
  await world.client.connections.list()
  const seen = new Set<string>()
  const container = document.body.appendChild(document.createElement('div'))
  const observer = new MutationObserver(() => seen.add([...new Set([...container.querySelectorAll('i')].map((node) => node.textContent))].join()))
  observer.observe(container, { childList: true, subtree: true, characterData: true })
  const root = createRoot(container)
  await act(async () =>
    root.render(
      <Within world={world}>
        <Readers />
      </Within>,
    ),
  )
  world.connections = [broken()]
  await act(async () => {
    again()
    await world.client.connections.list()
  })
  expect(container.textContent).toBe('needs_reauth'.repeat(5))
  expect([...seen].every((statuses) => !statuses.includes(','))).toBe(true)
  expect(seen.size).toBeGreaterThan(0)
  await act(async () => root.unmount())
  world.client.dispose()
})
