import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { describe, expect, test, vi } from 'vitest'
import { ApiError } from '../api/problem.ts'
import { system } from '../system.ts'
import { patch, readWhatIsOld } from './patches.ts'

const LIST = ['GET /api/v1/connections', { query: { limit: 50 } }, 'list'] as const
const row = (id: string, status: string) => ({ id, status })
const page = (...items: object[]) => ({ pages: [{ items, cursor: null }], pageParams: [null] })
const message = (event: string, value: object) => ({ id: '1', event, data: JSON.stringify(value) })

function clientWith(...items: object[]): QueryClient {
  const client = new QueryClient()
  client.setQueryData(LIST, page(...items))
  return client
}

describe('what the stream says of rows', () => {
  test('a row is replaced where it stands', () => {
    const client = clientWith(row('con_1', 'active'), row('con_2', 'active'))
    expect(patch(client, message('connection', row('con_1', 'needs_reauth')))).toBe('row')
    expect(client.getQueryData(LIST)).toEqual(page(row('con_1', 'needs_reauth'), row('con_2', 'active')))
  })

  test('a row that the list does not have is counted as new, not put under the pointer', () => {
    const client = clientWith(row('con_1', 'active'))
    expect(patch(client, message('connection', row('con_9', 'active')))).toBe('nothing')
    expect(client.getQueryData(LIST)).toEqual(page(row('con_1', 'active')))
  })

  test('a connection that is gone leaves its list', () => {
    const client = clientWith(row('con_1', 'active'), row('con_2', 'active'))
    patch(client, message('connection_gone', { id: 'con_1' }))
    expect(client.getQueryData(LIST)).toEqual(page(row('con_2', 'active')))
  })

  test('the page of one connection shows the new state, and what explains it is read again', () => {
    const client = clientWith(row('con_1', 'active'))
    const one = ['GET /api/v1/connections/{id}', { path: { id: 'con_1' } }]
    const why = ['GET /api/v1/connections/{id}/why', { path: { id: 'con_1' } }]
    client.setQueryData(one, row('con_1', 'active'))
    client.setQueryData(why, { sentence: 'It works.' })
    patch(client, message('connection', row('con_1', 'needs_reauth')))
    expect(client.getQueryData(one)).toEqual(row('con_1', 'needs_reauth'))
    expect(client.getQueryState(why)?.isInvalidated).toBe(true)
  })

  test('a row that only another list has, which is not on the screen, is new to the one that is', () => {
    const client = clientWith(row('con_1', 'active'))
    const narrowed = ['GET /api/v1/connections', { query: { status: 'needs_reauth', limit: 50 } }, 'list']
    client.setQueryData(narrowed, page())
    const leave = new QueryObserver(client, { queryKey: narrowed, enabled: false }).subscribe(() => undefined)
    expect(patch(client, message('connection', row('con_1', 'needs_reauth')))).toBe('row')
    leave()
    const shown = new QueryObserver(client, { queryKey: narrowed, queryFn: () => page(), staleTime: Number.POSITIVE_INFINITY }).subscribe(() => undefined)
    expect(patch(client, message('connection', row('con_1', 'needs_reauth')))).toBe('nothing')
    shown()
  })

  test('a list that is not on the screen is read anew when it is shown again, although one of its rows is up to date', () => {
    const client = clientWith(row('con_1', 'active'))
    patch(client, message('connection', row('con_1', 'needs_reauth')))
    expect(client.getQueryState(LIST)?.isInvalidated).toBe(true)
  })

  test('a row that is told makes its list no newer than it was, and no reading superfluous', () => {
    const client = new QueryClient()
    client.setQueryData(LIST, page(row('con_1', 'active')), { updatedAt: 1_000 })
    const leave = new QueryObserver(client, { queryKey: LIST, queryFn: () => new Promise(() => {}), staleTime: Number.POSITIVE_INFINITY }).subscribe(
      () => undefined,
    )
    void client.invalidateQueries({ queryKey: LIST }, { cancelRefetch: false })
    patch(client, message('connection', row('con_1', 'needs_reauth')))
    expect(client.getQueryData(LIST)).toEqual(page(row('con_1', 'needs_reauth')))
    expect(client.getQueryState(LIST)).toMatchObject({ dataUpdatedAt: 1_000, isInvalidated: true })
    leave()
  })

  test('what happened to a connection is read again when the record tells of it, also where its row stayed as it was', () => {
    const client = new QueryClient()
    const life = ['GET /api/v1/connections/{id}/timeline', { path: { id: 'con_1' }, query: { limit: 40 } }, 'list']
    const other = ['GET /api/v1/connections/{id}/timeline', { path: { id: 'con_2' }, query: { limit: 40 } }, 'list']
    const one = ['GET /api/v1/connections/{id}', { path: { id: 'con_1' } }]
    for (const key of [one, life, other]) client.setQueryData(key, page())
    patch(client, message('event', { id: 'evt_1', type: 'connection.checked', connection_id: 'con_1' }))
    patch(client, message('event', { id: 'evt_2', type: 'user.left', connection_id: null }))
    expect([one, life, other].map((key) => client.getQueryState(key)?.isInvalidated)).toEqual([true, true, false])
  })

  test('a list of connections that could not be read is read again after a minute; one that was read is kept still', async () => {
    const client = new QueryClient()
    let readings = 0
    const queryFn = (): Promise<never> => {
      readings += 1
      return Promise.reject(new Error('the server was away'))
    }
    const leave = new QueryObserver(client, { queryKey: LIST, queryFn, retry: false, staleTime: Number.POSITIVE_INFINITY }).subscribe(() => undefined)
    await expect.poll(() => client.getQueryState(LIST)?.status).toBe('error')
    const later = vi.spyOn(system, 'now').mockReturnValue(Date.now() + 61_000)
    readWhatIsOld(client)
    expect(readings).toBe(2)
    await expect.poll(() => client.isFetching()).toBe(0)
    client.setQueryData(LIST, page(row('con_1', 'active')), { updatedAt: 1_000 })
    readWhatIsOld(client)
    expect(readings).toBe(2)
    later.mockRestore()
    leave()
  })

  test.each([
    ['asked wrongly', 400, 'invalid_request', 1],
    ['not there', 404, 'not_found', 1],
    ['not for this role', 403, 'forbidden', 2],
    ['lost on the way', 404, 'foreign_answer', 2],
  ])('what is %s (%i, %s) was read %i times a minute later', async (_, status, code, times) => {
    const client = new QueryClient()
    let readings = 0
    const queryFn = (): Promise<never> => {
      readings += 1
      return Promise.reject(new ApiError({ title: '', detail: '', code, status, requestId: null, field: null, retryAt: null }))
    }
    const leave = new QueryObserver(client, { queryKey: ['GET /api/v1/events', {}, 'list'], queryFn, retry: false }).subscribe(() => undefined)
    await expect.poll(() => client.isFetching()).toBe(0)
    const later = vi.spyOn(system, 'now').mockReturnValue(Date.now() + 61_000)
    readWhatIsOld(client)
    expect(readings).toBe(times)
    later.mockRestore()
    leave()
  })

  test('after a reset everything is read again', () => {
    const client = clientWith(row('con_1', 'active'))
    patch(client, { id: null, event: 'reset', data: '{}' })
    expect(client.getQueryState(LIST)?.isInvalidated).toBe(true)
  })
})
