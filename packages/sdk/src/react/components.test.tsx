// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import { type ReactElement, StrictMode } from 'react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  ConnectionBadge,
  ConnectionStatusBanner,
  EvergrantErrorBoundary,
  ReconnectButton,
  SessionGate,
  useConnection,
  useConnections,
  useSession,
} from './index.ts'
import { broken, connection, createWorld, Within, type World } from './testing/world.tsx'

const worlds: World[] = []
function open(start?: Parameters<typeof createWorld>[0]): World {
  const world = createWorld(start)
  worlds.push(world)
  return world
}
beforeEach(() => {
  localStorage.clear()
  vi.spyOn(console, 'error')
})
afterEach(() => {
  cleanup()
  for (const world of worlds.splice(0)) world.client.dispose()
  vi.restoreAllMocks()
})

/** The window that a click opens. */
function popup(): { readonly opened: ReturnType<typeof vi.fn>; readonly window: { closed: boolean; location: { href: string } } } {
  const window = { closed: false, location: { href: '' }, close: () => undefined }
  const opened = vi.fn(() => window)
  vi.stubGlobal('open', opened)
  return { opened, window }
}

function Who(): ReactElement {
  const { status, user, degraded } = useSession()
  return <p>{`${status} ${user?.name ?? 'nobody'} ${degraded}`}</p>
}

function SignOut(): ReactElement {
  const { signOut } = useSession()
  return (
    <button type="button" onClick={() => void signOut()}>
      Sign out
    </button>
  )
}

function Count(): ReactElement {
  return <p>{`${useConnections()?.length ?? 'none'} known`}</p>
}

function Status(): ReactElement {
  return <p>{useConnection('con_9').status}</p>
}

const seen: string[][] = []
function Two(): ReactElement {
  seen.push([useConnection('con_1').status, useConnection('con_1').status])
  return <ConnectionBadge connectionId="con_1" />
}

const thrown: { error: Error | null } = { error: null }
function Risky(): ReactElement {
  if (thrown.error !== null) throw thrown.error
  return <p>all well</p>
}

describe('the session', () => {
  test('under StrictMode one refresh finds out who is signed in', async () => {
    const world = open()
    render(
      <StrictMode>
        <Within world={world}>
          <SessionGate pending="one moment">
            <Who />
          </SessionGate>
        </Within>
      </StrictMode>,
    )
    screen.getByText('one moment')
    await screen.findByText('authenticated Ana false')
    expect(world.calls).toEqual(['POST /api/v1/auth/refresh'])
    expect(console.error).not.toHaveBeenCalled()
  })

  test('who is not signed in is told so, with the step that the application gives', async () => {
    const world = open({ refresh: { status: 401, code: 'session_missing' } })
    const signIn = vi.fn()
    render(
      <Within world={world} actions={{ sign_in: signIn }}>
        <SessionGate>secret</SessionGate>
      </Within>,
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Sign in' }))
    expect(signIn).toHaveBeenCalledOnce()
    expect(screen.queryByText('secret')).toBeNull()
  })

  test('the end of a session says why', async () => {
    const world = open()
    render(
      <Within world={world}>
        <SessionGate>
          <Who />
        </SessionGate>
      </Within>,
    )
    await screen.findByText('authenticated Ana false')
    world.refresh = { status: 401, code: 'session_reuse_detected' }
    await act(() => world.client.refresh({ force: true }))
    await screen.findByText('We ended this session for safety')
    screen.getByText('The session was used from two places. Sign in again; review recent activity.')
  })

  test('trouble of the network never takes the application away', async () => {
    const world = open()
    render(
      <Within world={world}>
        <SessionGate>
          <Who />
          <ConnectionStatusBanner />
        </SessionGate>
      </Within>,
    )
    await screen.findByText('authenticated Ana false')
    world.refresh = { status: 503, retryAfter: 40 }
    await act(() => world.client.refresh({ force: true }))
    await screen.findByText('degraded Ana true')
    const banner = screen.getByRole('status')
    within(banner).getByText('Cannot reach Acme')
    // It is read out once, and not whenever the seconds change.
    expect(within(banner).getByText('Retrying in 40 seconds. You are still signed in.').getAttribute('aria-live')).toBe('off')
    world.refresh = { status: 200 }
  })

  test('a server that cannot be asked at the start leaves a message and a button, and no sign-in', async () => {
    const world = open({ refresh: { status: 503, retryAfter: 3_000 } })
    render(
      <Within world={world}>
        <SessionGate signedOut="sign in here">in</SessionGate>
      </Within>,
    )
    await screen.findByText('Cannot reach Acme')
    screen.getByRole('button', { name: 'Try now' })
    expect(screen.queryByText('sign in here')).toBeNull()
  })

  test('signing out empties what the components know of connections', async () => {
    const world = open({ connections: [connection()] })
    render(
      <Within world={world}>
        <Count />
      </Within>,
    )
    await screen.findByText('1 known')
    await act(() => world.client.signOut())
    await screen.findByText('none known')
  })

  test('who signed out here is asked to sign in, and not told of another tab', async () => {
    const world = open()
    render(
      <Within world={world}>
        <SessionGate>
          <SignOut />
        </SessionGate>
      </Within>,
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Sign out' }))
    await screen.findByText('Please sign in')
    await act(() => world.client.refresh({ force: true }))
    await screen.findByRole('button', { name: 'Sign out' })
    await act(() => world.client.signOut())
    await screen.findByText('You signed out in another tab')
  })

  test('a component outside the provider says what is missing', () => {
    vi.mocked(console.error).mockImplementation(() => undefined)
    expect(() => render(<Who />)).toThrow('EvergrantProvider')
  })
})

describe('the banner', () => {
  const show = (world: World, props: Parameters<typeof ConnectionStatusBanner>[0] = {}, actions = {}): void => {
    render(
      <Within world={world} actions={actions}>
        <button type="button">elsewhere</button>
        <ConnectionStatusBanner {...props} />
      </Within>,
    )
  }

  test('stays in the page, empty, while all is well, and never takes the focus', async () => {
    const world = open({ connections: [connection()] })
    show(world)
    const elsewhere = screen.getByRole('button', { name: 'elsewhere' })
    elsewhere.focus()
    await waitFor(() => expect(world.calls).toContain('GET /api/v1/auth/token-status'))
    expect(screen.getByRole('status').textContent).toBe('')
    world.connections = [broken()]
    await screen.findByText('Google access was removed')
    expect(document.activeElement).toBe(elsewhere)
    expect(screen.getAllByRole('status')).toHaveLength(1)
    expect(screen.queryByRole('alert')).toBeNull()
  })

  test('shows the worst first and counts what it does not show', async () => {
    const soon = new Date(Date.now() + 3 * 86_400_000).toISOString()
    const world = open({
      connections: [
        connection({ id: 'con_1', provider: 'Slack', status: 'expiring', expires_at: soon }),
        connection({ id: 'con_2', provider: 'Strava', status: 'refreshing', code: 'provider_rate_limited', action: 'wait' }),
        broken({ id: 'con_3' }),
        broken({ id: 'con_4', provider: 'Notion' }),
        connection({ id: 'con_5' }),
      ],
    })
    show(world, { max: 2 })
    await screen.findByText('2 more connections need attention')
    expect(screen.getAllByRole('listitem').map((item) => item.getAttribute('data-tone'))).toEqual(['danger', 'danger'])
  })

  test('what mends itself has no reconnect button', async () => {
    const world = open({
      connections: [
        connection({
          id: 'con_1',
          status: 'refreshing',
          code: 'provider_rate_limited',
          action: 'wait',
          retry_at: new Date(Date.now() + 3_600_000).toISOString(),
        }),
        connection({ id: 'con_2', provider: 'Slack', status: 'refreshing', code: 'provider_unavailable', action: 'wait' }),
        connection({ id: 'con_3', provider: 'Notion', status: 'unavailable', code: 'client_rejected', action: 'contact_admin' }),
      ],
    })
    show(world)
    await screen.findByText('Requests for ana@example.com resume in 1 hour. Nothing is lost.')
    screen.getByText('Slack has problems. We keep trying; you do not need to reconnect.')
    screen.getByText('Notion is not available right now')
    expect(screen.queryByRole('button', { name: /reconnect/i })).toBeNull()
    screen.getByText('provider_rate_limited con_1')
  })

  test('steps that the application does not define are not offered, and those that it defines are links or buttons', async () => {
    const disconnect = vi.fn()
    const world = open({
      connections: [broken(), connection({ id: 'con_2', provider: 'Slack', status: 'refreshing', code: 'provider_unavailable', action: 'wait' })],
    })
    show(world, {}, { disconnect, status_page: 'https://status.example.com' })
    fireEvent.click(await screen.findByRole('button', { name: 'Disconnect' }))
    expect(disconnect.mock.calls[0]?.[0]).toMatchObject({ code: 'connection_revoked', connection: { id: 'con_1' } })
    expect(screen.getByRole('link', { name: 'Slack status page' }).getAttribute('href')).toBe('https://status.example.com')
  })

  test('an unknown code of the server keeps the words of the server', async () => {
    const world = open({ connections: [broken({ code: 'brand_new', title: 'Google wants a dance', message: 'Nothing was deleted.' })] })
    show(world)
    await screen.findByText('Google wants a dance')
    screen.getByText('Nothing was deleted.')
    screen.getByRole('button', { name: 'Reconnect Google' })
  })

  test('what is put away stays away after a reload, until something else is wrong, and the focus stays at its place', async () => {
    const world = open({ connections: [broken()] })
    show(world)
    const dismiss = await screen.findByRole('button', { name: 'Dismiss: Google access was removed' })
    dismiss.focus()
    fireEvent.click(dismiss)
    expect(screen.getByRole('status').textContent).toBe('')
    expect(document.activeElement).toBe(screen.getByRole('status'))
    cleanup()
    show(world)
    await waitFor(() => expect(world.client.connections.known()).not.toBeNull())
    expect(screen.getByRole('status').textContent).toBe('')
    world.connections = [broken({ code: 'connection_expired' })]
    await screen.findByText('Google needs to be reconnected')
  })

  test('"remind me tomorrow" puts it away for a day', async () => {
    const world = open({ connections: [broken({ code: 'connection_expired' })] })
    show(world)
    fireEvent.click(await screen.findByRole('button', { name: 'Remind me tomorrow' }))
    const [until] = Object.values<number>(JSON.parse(localStorage.getItem('evergrant-dismissed') ?? '{}'))
    expect((until ?? 0) - Date.now()).toBeGreaterThan(86_300_000)
  })

  test('what ends within the week can be put away until the last day, and then for that day', async () => {
    const ends = Date.now() + 3 * 86_400_000
    const world = open({ connections: [connection({ status: 'expiring', expires_at: new Date(ends).toISOString() })] })
    show(world)
    await screen.findByText('Google access ends in 3 days')
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss until 24 h before' }))
    const [until] = Object.values<number>(JSON.parse(localStorage.getItem('evergrant-dismissed') ?? '{}'))
    expect(until).toBe(ends - 86_400_000)
    world.connections = [connection({ status: 'expiring', expires_at: new Date(Date.now() + 7_200_000).toISOString() })]
    const title = await screen.findByText('Google access ends in 2 hours')
    expect(title.closest('li')?.getAttribute('data-tone')).toBe('warning')
    screen.getByRole('button', { name: 'Dismiss: Google access ends in 2 hours' })
    expect(screen.queryByRole('button', { name: 'Dismiss until 24 h before' })).toBeNull()
  })

  test('a render function gets the incidents and the way to put them away', async () => {
    const world = open({ connections: [broken()] })
    show(world, {
      children: (incidents, dismiss) =>
        incidents.map((incident) => (
          <button key={incident.key} type="button" onClick={() => dismiss(incident)}>
            {incident.title}
          </button>
        )),
    })
    fireEvent.click(await screen.findByRole('button', { name: 'Google access was removed' }))
    expect(screen.getByRole('status').textContent).toBe('')
  })
})

describe('reconnecting', () => {
  test('the window opens in the click, the wait is told, and success is said and goes away', async () => {
    const world = open({ connections: [broken()] })
    const { opened, window } = popup()
    render(
      <Within world={world}>
        <ConnectionStatusBanner />
      </Within>,
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Reconnect Google' }))
    expect(opened).toHaveBeenCalledOnce()
    await screen.findByText('Finish in the window we opened. Closed the window? Start again.')
    await waitFor(() => expect(window.location.href).toBe('https://connect.test/connect/abc'))
    expect(screen.queryByRole('alert')).toBeNull()
    world.connections = [connection()]
    await screen.findByText('Reconnected as ana@example.com.')
    expect(screen.queryByText('Google access was removed')).toBeNull()
  })

  test('a blocked window is an alert with a link for this tab', async () => {
    vi.stubGlobal('open', () => null)
    const world = open({ connections: [broken()] })
    render(
      <Within world={world}>
        <ReconnectButton connectionId="con_1" />
      </Within>,
    )
    const button = await screen.findByRole('button', { name: 'Reconnect Google' })
    button.focus()
    fireEvent.click(button)
    const alert = await screen.findByRole('alert')
    within(alert).getByText('Your browser blocked the window')
    expect(within(alert).getByRole('link', { name: 'Continue in this tab' }).getAttribute('href')).toBe('https://connect.test/connect/abc')
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Reconnect Google' }))
  })

  test('waiting can be given up, and begun again with the same button', async () => {
    const world = open({ connections: [broken()] })
    const { opened } = popup()
    render(
      <Within world={world}>
        <ReconnectButton connectionId="con_1" />
      </Within>,
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Reconnect Google' }))
    const again = await screen.findByRole('button', { name: 'Open again' })
    expect(again.getAttribute('aria-describedby')).toBe(screen.getByText('Waiting for Google').parentElement?.id)
    fireEvent.click(again)
    expect(opened).toHaveBeenCalledTimes(2)
    fireEvent.click(await screen.findByRole('button', { name: 'Cancel' }))
    await screen.findByRole('button', { name: 'Reconnect Google' })
    expect(screen.queryByText('Waiting for Google')).toBeNull()
  })

  test('another account is said to be another account, and nothing was changed', async () => {
    const world = open({ connections: [broken()] })
    popup()
    render(
      <Within world={world}>
        <ReconnectButton connectionId="con_1" />
      </Within>,
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Reconnect Google' }))
    await screen.findByText('Waiting for Google')
    world.connections = [broken({ code: 'account_mismatch' })]
    await screen.findByText('This connection belongs to ana@example.com; you signed in with another account. Nothing was changed.')
    screen.getByRole('button', { name: 'Try again as ana@example.com' })
  })

  test('what was wrong before the reconnect is not taken for its result', async () => {
    const world = open({ connections: [broken({ code: 'scope_missing' })] })
    popup()
    render(
      <Within world={world}>
        <ReconnectButton connectionId="con_1" />
      </Within>,
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Allow in Google' }))
    await screen.findByText('Waiting for Google')
    expect(screen.queryByRole('alert')).toBeNull()
  })

  test('a reconnect that cannot begin can be tried again', async () => {
    const world = open({ connections: [broken()], reconnect: { status: 503, code: 'store_unavailable' } })
    popup()
    render(
      <Within world={world}>
        <ReconnectButton connectionId="con_1" />
      </Within>,
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Reconnect Google' }))
    await screen.findByText('Something went wrong with Google')
    screen.getByRole('button', { name: 'Try again' })
  })

  test('a connection that was healed elsewhere is quiet again', async () => {
    const world = open({ connections: [broken()] })
    render(
      <Within world={world}>
        <ConnectionStatusBanner />
      </Within>,
    )
    await screen.findByText('Google access was removed')
    world.connections = [connection()]
    await waitFor(() => expect(screen.getByRole('status').textContent).toBe(''))
  })
})

describe('the badge and the hook', () => {
  test('the badge says its state in words beside an icon that is only for eyes', async () => {
    const world = open({ connections: [broken()] })
    const { container } = render(
      <Within world={world}>
        <ConnectionBadge connectionId="con_1" />
      </Within>,
    )
    expect(container.textContent).toBe('Checking')
    await screen.findByText('Needs to be reconnected')
    expect(container.querySelector('svg')?.getAttribute('aria-hidden')).toBe('true')
  })

  test('all components of one page see the same connection at the same time', async () => {
    const world = open({ connections: [connection()] })
    seen.length = 0
    render(
      <Within world={world}>
        {Array.from({ length: 20 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike.
          <Two key={index} />
        ))}
      </Within>,
    )
    await waitFor(() => expect(screen.getAllByText('Connected')).toHaveLength(20))
    world.connections = [broken()]
    await waitFor(() => expect(screen.getAllByText('Needs to be reconnected')).toHaveLength(20))
    expect(seen.every(([one, two]) => one === two)).toBe(true)
    // Twenty components are one question to the server, and one every so often.
    expect(world.calls.filter((call) => call.includes('token-status')).length).toBeLessThan(10)
  })

  test('a connection that the server does not have is unknown', async () => {
    const world = open({ connections: [connection()] })
    render(
      <Within world={world}>
        <Status />
      </Within>,
    )
    await waitFor(() => expect(world.client.connections.known()).toHaveLength(1))
    screen.getByText('unknown')
  })
})

describe('the error boundary', () => {
  beforeEach(() => {
    vi.mocked(console.error).mockImplementation(() => undefined)
  })

  test('offers the step that mends it and comes back when it is mended', async () => {
    const world = open({ connections: [] })
    await world.client.refresh()
    world.refresh = { status: 503 }
    const result = await world.client.refresh({ force: true })
    thrown.error = result.kind === 'transient' ? result.error : null
    expect(thrown.error).not.toBeNull()
    render(
      <Within world={world}>
        <EvergrantErrorBoundary>
          <Risky />
        </EvergrantErrorBoundary>
      </Within>,
    )
    await screen.findByText('Cannot reach Acme')
    thrown.error = null
    world.refresh = { status: 200 }
    await waitFor(() => world.client.refresh({ force: true }).then(({ kind }) => expect(kind).toBe('ok')))
    await screen.findByText('all well')
  })

  test('a connection that needs its owner leads to the page that mends it', async () => {
    const world = open()
    const { ReconnectRequiredError } = await import('../browser/index.ts')
    thrown.error = new ReconnectRequiredError({ code: 'connection_revoked', status: 409, action: 'reconnect', reconnect_url: 'https://connect.test/r/1' })
    render(
      <Within world={world}>
        <EvergrantErrorBoundary>
          <Risky />
        </EvergrantErrorBoundary>
      </Within>,
    )
    expect((await screen.findByRole('link')).getAttribute('href')).toBe('https://connect.test/r/1')
    expect(screen.getByRole('alert').textContent).toContain('The provider access was removed')
  })

  test('an error of another kind goes on to the next boundary', () => {
    const world = open()
    thrown.error = new Error('a bug')
    expect(() =>
      render(
        <Within world={world}>
          <EvergrantErrorBoundary>
            <Risky />
          </EvergrantErrorBoundary>
        </Within>,
      ),
    ).toThrow('a bug')
  })
})
