import { ApiError, problemFrom } from '../../api/problem.ts'
import { serverUrl, session } from '../../session/client.ts'

/** A file that the server makes for a POST, given to the browser to save. @throws ApiError */
export async function downloadPosted(path: string, body: object, name: string): Promise<void> {
  const response = await session().fetch(serverUrl() + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!response.ok) throw new ApiError(await problemFrom(response))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? name
  link.click()
  URL.revokeObjectURL(link.href)
}
