import { idPattern, type UserId } from '../ids.ts'
import { ownerOf, type User } from './user.ts'
import type { Users } from './users.ts'

const USER_ID = new RegExp(idPattern('usr'))

/** Whose connections have this owner. Who has an external id is not meant by their own id: a connection under it is somebody else's. */
export async function userOfOwner(users: Pick<Users, 'byExternalId' | 'get'>, owner: string): Promise<User | undefined> {
  const user = (await users.byExternalId(owner)) ?? (isUserId(owner) ? await users.get(owner) : undefined)
  return user === undefined || ownerOf(user) !== owner ? undefined : user
}

export function isUserId(text: string): text is UserId {
  return USER_ID.test(text)
}
