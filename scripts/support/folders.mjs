// The folders with a package.json and a lock file of their own, as the tests need them: third-party packages that only tests
// and examples need are kept out of the package itself.

export const folders = [
  '.',
  '__test__/peers',
  '__test__/peers/nest-10',
  '__test__/peers/nest-11',
  '__test__/peers/nest-12',
  '__test__/metrics',
  'examples/fenced-stores',
  'examples/flash-sale',
]
