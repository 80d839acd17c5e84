export function faultsOfCompose(text: string): string[]
