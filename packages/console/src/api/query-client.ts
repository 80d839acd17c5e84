import { QueryClient } from '@tanstack/react-query'
import { ApiError } from './problem.ts'

const RETRIES = 2

/**
 * Keeps the answers of one page. What the browser says of the network is not asked: it knows nothing of a server on this machine or in this house, and a deed
 * that it held back would be done whenever it likes, long after whoever wanted it gave up.
 */
export const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        gcTime: 300_000,
        refetchOnWindowFocus: false,
        networkMode: 'always',
        // A refusal stays one; what was not answered may be answered next time.
        retry: (count, error) => count < RETRIES && !(error instanceof ApiError && error.problem.status < 500 && error.problem.status !== 429),
      },
      mutations: { networkMode: 'always' },
    },
  })
