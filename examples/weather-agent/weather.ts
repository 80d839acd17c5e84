import type { Evergrant } from '@evergrant/sdk/node'

interface Weather {
  readonly city: string
  readonly celsius: number
  readonly sky: string
}

/** `proxy`: Evergrant sends the request, and this program never sees a token. `fetch`: the SDK puts a fresh token on a request of our own. */
export type Way = 'proxy' | 'fetch'

interface WeatherRequest {
  readonly connection: string
  readonly city: string
  readonly way: Way
  /** Where the weather service is; for `fetch` alone, since the proxy knows it. */
  readonly api: string
}

/** @throws EvergrantError when Evergrant says no, Error when the weather service does or cannot be reached */
export async function readWeather({ connections }: Pick<Evergrant, 'connections'>, request: WeatherRequest): Promise<Weather> {
  const { connection, city, way, api } = request
  const path = `/v1/weather?city=${encodeURIComponent(city)}`
  const response = await (way === 'proxy' ? connections.proxy(connection, path) : connections.fetch(connection, `${api}${path}`))
  if (!response.ok) throw new Error(`The weather service answered with status ${response.status}.`)
  return (await response.json()) as Weather
}
