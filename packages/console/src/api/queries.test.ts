import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { expect, test, vi } from 'vitest'
import { system } from '../system.ts'
import { readAgain, readAgainAsTold } from './queries.ts'

const OVERVIEW = ['GET /api/v1/console/overview'] as const

/** A question on the screen, whose answers come when the test gives them. */
function asked() {
  const client = new QueryClient()
  const answers: ((value: string) => void)[] = []
  let brokenOff = 0
  const observer = new QueryObserver(client, {
    queryKey: [...OVERVIEW, {}],
    queryFn: ({ signal }) => {
      signal.addEventListener('abort', () => {
        brokenOff += 1
      })
      return new Promise<string>((resolve) => answers.push(resolve))
    },
  })
  const end = observer.subscribe(() => {})
  return { client, answers, observer, end, brokenOff: () => brokenOff }
}

test('what is told while it is being read breaks off nothing, and is read once more afterwards', async () => {
  const { client, answers, observer, end, brokenOff } = asked()
  const shown = () => observer.getCurrentResult().data
  answers[0]?.('first')
  await vi.waitFor(() => expect(shown()).toBe('first'))
  readAgainAsTold(client, OVERVIEW)
  expect(answers).toHaveLength(2)
  for (let count = 0; count < 5; count += 1) readAgainAsTold(client, OVERVIEW)
  expect([answers.length, brokenOff()]).toEqual([2, 0])
  answers[1]?.('second')
  await vi.waitFor(() => expect(answers).toHaveLength(3))
  expect(shown()).toBe('second')
  answers[2]?.('third')
  await vi.waitFor(() => expect(shown()).toBe('third'))
  expect(client.isFetching()).toBe(0)
  expect([answers.length, brokenOff()]).toEqual([3, 0])
  end()
})

test('what is told every second is read at once, and then every three seconds', async () => {
  const { client, answers, observer, end } = asked()
  const later: { readonly ms: number; readonly run: () => void }[] = []
  const after = vi.spyOn(system, 'after').mockImplementation((ms, run) => {
    later.push({ ms, run })
    return () => undefined
  })
  const now = vi.spyOn(system, 'now')
  answers[0]?.('first')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('first'))
  const begun = 1_800_000_000_000
  const readings: number[] = []
  for (let second = 0; second < 60; second += 1) {
    now.mockReturnValue(begun + second * 1_000)
    readAgainAsTold(client, OVERVIEW)
    expect(later.length).toBeLessThanOrEqual(1)
    // The timers of a browser, turned by hand.
    if (later.length > 0 && second - (readings.at(-1) ?? 0) >= 3) later.shift()?.run()
    const count = answers.length
    if (count > readings.length + 1) {
      readings.push(second)
      answers[count - 1]?.(`after ${second} s`)
      await vi.waitFor(() => expect(client.isFetching()).toBe(0))
    }
  }
  expect(readings).toHaveLength(20)
  after.mockRestore()
  now.mockRestore()
  end()
})

test('what is told of a question that nobody asks any more is read when it is asked again, without a pause', async () => {
  const { client, answers, observer, end } = asked()
  answers[0]?.('first')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('first'))
  readAgainAsTold(client, OVERVIEW)
  answers[1]?.('second')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('second'))
  readAgainAsTold(client, OVERVIEW)
  expect(answers).toHaveLength(2)
  end()
  expect(client.getQueryState([...OVERVIEW, {}])?.isInvalidated).toBe(true)
})

test('the overview after a deed is read once more when the server shares none from before it', async () => {
  const { client, answers, observer, end } = asked()
  const later: { readonly ms: number; readonly run: () => void }[] = []
  const after = vi.spyOn(system, 'after').mockImplementation((ms, run) => {
    later.push({ ms, run })
    return () => undefined
  })
  answers[0]?.('first')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('first'))
  readAgain(client, OVERVIEW)
  answers[1]?.('shared from before')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('shared from before'))
  expect(later.map(({ ms }) => ms > 2_000)).toEqual([true])
  later[0]?.run()
  answers[2]?.('as it is')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('as it is'))
  after.mockRestore()
  end()
})
