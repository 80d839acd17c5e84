import { useNavigate, useParams, useSearch } from '@tanstack/react-router'

/** The parts of the path that `$name` stands for. */
export function usePageParams(): Readonly<Record<string, string>> {
  return useParams({ strict: false }) as Readonly<Record<string, string>>
}

/**
 * What the address says behind `?`, and how to change it: keys with `undefined` are taken out. A change of a filter is a step of the browser's history,
 * `replace` for what changes with every key that is typed.
 */
export function usePageSearch<Search extends object>(): [search: Search, change: (next: Partial<Search>, options?: { readonly replace?: boolean }) => void] {
  const search = useSearch({ strict: false }) as unknown as Search
  const navigate = useNavigate()
  const change = (next: Partial<Search>, { replace = false } = {}): void => {
    void navigate({ to: '.', search: ((before: object) => without({ ...before, ...next })) as never, replace, resetScroll: false })
  }
  return [search, change]
}

/** Without keys that say nothing. */
export function without(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== ''))
}

/** Only these keys, each a text: the `search` of most routes. */
export function textsOf<Key extends string>(search: Readonly<Record<string, unknown>>, keys: readonly Key[]): Partial<Record<Key, string>> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = search[key]
      return typeof value === 'string' && value !== '' ? [[key, value]] : typeof value === 'number' || typeof value === 'boolean' ? [[key, String(value)]] : []
    }),
  ) as Partial<Record<Key, string>>
}
