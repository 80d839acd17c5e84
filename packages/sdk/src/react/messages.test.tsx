// @vitest-environment happy-dom
import { act, cleanup, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EvergrantError } from '../evergrant-error.ts'
import { ConnectionBadge, ConnectionStatusBanner, EvergrantErrorBoundary, SessionGate } from './index.ts'
import { broken, createWorld, Within, type World } from './testing/world.tsx'

/** Whether the file of words and looks can be had. */
const network = vi.hoisted(() => ({ broken: true, loads: 0 }))
vi.mock('./messages-part.tsx', async (original) => {
  const { messagesPart } = await original<typeof import('./messages-part.tsx')>()
  return {
    get messagesPart() {
      network.loads += 1
      if (network.broken) throw new TypeError('Failed to fetch dynamically imported module')
      return messagesPart
    },
  }
})

const worlds: World[] = []
function open(start?: Parameters<typeof createWorld>[0]): World {
  const world = createWorld(start)
  worlds.push(world)
  return world
}
beforeEach(() => {
  Object.assign(network, { broken: true, loads: 0 })
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  cleanup()
  for (const world of worlds.splice(0)) world.client.dispose()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Until the next try. */
async function mend(): Promise<void> {
  network.broken = false
  await act(() => vi.advanceTimersByTimeAsync(10_000))
}

function Risky(): never {
  throw new EvergrantError({ code: 'connection_expired', status: 409, action: 'reconnect', detail: 'Google needs its owner.' })
}

test('words that could not be loaded are loaded later, and what was wrong meanwhile is told then', async () => {
  const world = open({ connections: [broken()] })
  render(
    <Within world={world}>
      <ConnectionBadge connectionId="con_1" />
      <ConnectionStatusBanner />
    </Within>,
  )
  await screen.findByText('Needs to be reconnected')
  expect(screen.getByRole('status').textContent).toBe('')
  await mend()
  await screen.findByText('Google access was removed')
})

test('without the words, who is signed out still gets to the sign-in page', async () => {
  const world = open({ refresh: { status: 401, code: 'session_expired' } })
  render(
    <Within world={world} actions={{ sign_in: '/sign-in' }}>
      <SessionGate pending="one moment">secret</SessionGate>
    </Within>,
  )
  const link = await screen.findByRole('link', { name: 'Please sign in again: Sign in' })
  expect(link.getAttribute('href')).toBe('/sign-in')
  await mend()
  await screen.findByText('You were signed out because you had not been here for a while. Unsaved input on this page is kept.')
})

test('without the words, an error still says what it is', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const world = open()
  render(
    <Within world={world}>
      <EvergrantErrorBoundary>
        <Risky />
      </EvergrantErrorBoundary>
    </Within>,
  )
  expect((await screen.findByRole('alert')).textContent).toBe('Google needs its owner.')
  await mend()
  await screen.findByText('The provider needs to be reconnected')
})

test('a provider that is gone loads nothing any more', async () => {
  const world = open({ connections: [broken()] })
  const { unmount } = render(
    <Within world={world}>
      <ConnectionBadge connectionId="con_1" />
    </Within>,
  )
  await screen.findByText('Needs to be reconnected')
  const { loads } = network
  expect(loads).toBe(1)
  unmount()
  await act(() => vi.advanceTimersByTimeAsync(60_000))
  expect(network.loads).toBe(loads)
})
