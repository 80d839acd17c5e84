import { MutationObserver, onlineManager } from '@tanstack/react-query'
import { afterEach, expect, test } from 'vitest'
import { createQueryClient } from './query-client.ts'

afterEach(() => onlineManager.setOnline(true))

test('a browser that says it is offline keeps nobody from reading what answers, nor does it put a deed off', async () => {
  const client = createQueryClient()
  onlineManager.setOnline(false)
  expect(await client.fetchQuery({ queryKey: ['overview'], queryFn: () => 'answered' })).toBe('answered')
  const deed = new MutationObserver(client, { mutationFn: () => Promise.reject(new Error('nobody answers')) })
  await expect(deed.mutate()).rejects.toThrow('nobody answers')
})
