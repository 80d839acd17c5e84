declare module 'autocannon' {
  export interface Load {
    readonly url: string
    readonly method?: 'GET' | 'POST'
    readonly headers: Record<string, string>
    readonly body?: string
    readonly connections: number
    /** Seconds. */
    readonly duration: number
  }
  export interface LoadResult {
    readonly requests: { readonly average: number; readonly total: number }
    readonly non2xx: number
    readonly errors: number
  }
  export default function autocannon(load: Load): Promise<LoadResult>
}
