export { type FakeConnection, type FakeCounts, FakeEvergrant, type FakeEvergrantOptions, type Script } from './fake-evergrant.ts'
export type { FakeInstallation, FakePolicy, FakeToken, RevokeClass } from './fake-installations.ts'
export { createTestClock, type TestClock } from './test-clock.ts'
