import { expect, test } from 'vitest'
import { createApiLab } from '../testing/api-lab.ts'

test('a list by account goes on behind a label that is as long as a label may be', async () => {
  const lab = await createApiLab()
  const names = ['山', '川', '野'].map((sign) => sign.repeat(255))
  for (const label of names) {
    const body = { integration: lab.integration, owner: `owner of ${label[0]}`, account_label: label, access_token: 'at', refresh_token: `rt ${label[0]}` }
    expect(await lab.call('POST', '/api/v1/connections', { body })).toMatchObject({ status: 201 })
  }
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = await lab.call('GET', `/api/v1/connections?sort=account&limit=1${more}`)
    expect(page).toMatchObject({ status: 200 })
    seen.push(...page.json.items.map((item: { account: { label: string | null } | null }) => item.account?.label ?? ''))
    cursor = page.json.cursor
  } while (cursor !== null)
  expect(seen).toEqual(expect.arrayContaining(names))
})
