declare module 'autocannon' {
  export interface Load {
    readonly url: string
    readonly headers: Record<string, string>
    readonly connections: number
    /** Seconds. */
    readonly duration: number
  }
  export interface LoadResult {
    readonly requests: { readonly average: number }
    readonly non2xx: number
    readonly errors: number
  }
  export default function autocannon(load: Load): Promise<LoadResult>
}
