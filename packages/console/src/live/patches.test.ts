import { QueryClient } from '@tanstack/react-query'
import { describe, expect, test } from 'vitest'
import { patch } from './patches.ts'

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

  test('after a reset everything is read again', () => {
    const client = clientWith(row('con_1', 'active'))
    patch(client, { id: null, event: 'reset', data: '{}' })
    expect(client.getQueryState(LIST)?.isInvalidated).toBe(true)
  })
})
