// SPDX-License-Identifier: Apache-2.0
// The first code of the single executable. It starts the bundle with the bytecode that the build
// made of all its functions: V8 would else compile each of them at its first call, which is the
// only one. A cache that V8 does not take (another flag, another version) only costs that time.
const sea = process.getBuiltinModule('node:sea');
const { Script } = process.getBuiltinModule('node:vm');

new Script(sea.getAsset('fairlead.js', 'utf8'), {
  filename: 'fairlead.js',
  cachedData: new Uint8Array(sea.getRawAsset('fairlead.cache')),
}).runInThisContext();
