import { RefreshUnavailableError } from '@evergrant/sdk/browser'

/** What a person reads when a request failed. `fetch` says of a server that is away only that it failed, in words of the browser. */
export function wordsFor(error: unknown): string {
  if (error instanceof TypeError || error instanceof RefreshUnavailableError)
    return 'The server cannot be reached. You are still signed in, and nothing is lost: try again in a moment.'
  return error instanceof Error ? error.message : 'Something went wrong'
}
