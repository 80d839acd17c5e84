import type { Connection } from '@evergrant/sdk/wire'

/** What a person calls it: the account's label, else its id, else the owner. */
export const nameOf = ({ account, owner }: Pick<Connection, 'account' | 'owner'>): string => account.label ?? account.id ?? owner
