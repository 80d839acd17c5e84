// @vitest-environment happy-dom
import { QueryClient } from '@tanstack/react-query'
import { cleanup, renderHook } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { Live } from '../../live/live.ts'
import { LiveContext } from '../../live/live-context.ts'
import type { StreamMessage } from '../../live/stream-reader.ts'
import { system } from '../../system.ts'
import { useTail } from './use-tail.ts'

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

test('a tail of some types reads nothing for the others, and several at once for its own', () => {
  const timers: (() => void)[] = []
  vi.spyOn(system, 'after').mockImplementation((_ms, run) => {
    timers.push(run)
    return () => undefined
  })
  const live = new Live(new QueryClient())
  let tell: (message: StreamMessage) => void = () => undefined
  vi.spyOn(live, 'listen').mockImplementation((listener) => {
    tell = listener
    return () => undefined
  })
  const read = vi.fn()
  renderHook(() => useTail(read, ['user.', 'api_key.']), {
    wrapper: ({ children }: { readonly children: ReactNode }) => <LiveContext value={live}>{children}</LiveContext>,
  })
  const told = (type: string): void => tell({ id: '1', event: 'event', data: JSON.stringify({ type }) })
  told('connection.refreshed')
  expect(timers).toHaveLength(0)
  told('user.joined')
  told('api_key.revoked')
  expect(timers).toHaveLength(1)
  timers[0]?.()
  expect(read).toHaveBeenCalledOnce()
})
