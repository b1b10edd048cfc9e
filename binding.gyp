{
  'variables': {
    'package_version': "<!(node -p \"require('./package.json').version\")",
    'base_sources': ["<!@(node -p \"const s = require('./native/sources.json'); [...s.core, ...s.image, ...s.capture, ...(process.platform === 'linux' ? s.capture_linux : []), ...s.inference, ...s.landmarks, ...s.cloud, ...s.depth, ...s.mesh, ...s.store, ...s.search, ...s.device, ...s.bindings].join(' ')\")"],
    # The amalgamation of SQLite (public domain) that better-sqlite3 carries, a development dependency; nothing else of it is used.
    'sqlite_dir': "<!(node -p \"require('path').join(require('path').dirname(require.resolve('better-sqlite3/package.json')), 'deps', 'sqlite3')\")",
    'avx2_sources': ["<!@(node -p \"require('./native/sources.json').simd.avx2.sources.join(' ')\")"],
    'avx2_flags': ["<!@(node -p \"require('./native/sources.json').simd.avx2.flags.join(' ')\")"],
    'avx2_msvc': ["<!@(node -p \"require('./native/sources.json').simd.avx2.msvc.join(' ')\")"],
    'avx512_sources': ["<!@(node -p \"require('./native/sources.json').simd.avx512.sources.join(' ')\")"],
    'avx512_flags': ["<!@(node -p \"require('./native/sources.json').simd.avx512.flags.join(' ')\")"],
    'avx512_msvc': ["<!@(node -p \"require('./native/sources.json').simd.avx512.msvc.join(' ')\")"],
    'vnni_sources': ["<!@(node -p \"require('./native/sources.json').simd.vnni.sources.join(' ')\")"],
    'vnni_flags': ["<!@(node -p \"require('./native/sources.json').simd.vnni.flags.join(' ')\")"],
    'vnni_msvc': ["<!@(node -p \"require('./native/sources.json').simd.vnni.msvc.join(' ')\")"],
  },
  'target_defaults': {
    'include_dirs': ['native'],
    'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_ADDON_API_CPP_EXCEPTIONS_ALL', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', 'LINEAMENT_VERSION=<(package_version)'],
    'cflags!': ['-fno-exceptions', '-O2'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20', '-O2'],
    'cflags_cc': ['-isystem', "<!(node -p \"require('path').resolve(require('node-addon-api').include_dir)\")", '-std=c++20', '-O3', '-fvisibility=hidden', '-fno-math-errno', '-Wall', '-Wextra', '-Wshadow', '-Werror'],
    'conditions': [
      ['target_arch=="x64" and OS!="win"', {'cflags_cc': ['-march=x86-64-v2']}],
      ['OS=="mac"', {
        'xcode_settings': {
          'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
          'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
          'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
          'MACOSX_DEPLOYMENT_TARGET': '12.0',
        },
      }],
      ['OS=="win"', {'msvs_settings': {'VCCLCompilerTool': {'ExceptionHandling': 1, 'AdditionalOptions': ['/std:c++20']}}}],
    ],
  },
  'targets': [
    {
      'target_name': 'lineament',
      'sources': ['<@(base_sources)'],
      'include_dirs': ['<(sqlite_dir)'],
      'dependencies': ['lineament_sqlite'],
      'conditions': [
        ['target_arch=="x64"', {'dependencies': ['lineament_avx2', 'lineament_avx512', 'lineament_vnni']}],
        ['OS=="linux"', {
          'libraries': ['-ldl', '-lpthread'],
          'ldflags': ['-Wl,--gc-sections', '-Wl,--exclude-libs,ALL', '-Wl,-z,nodelete', "-Wl,-rpath,'$$ORIGIN'"],
        }],
      ],
    },
    {
      'target_name': 'lineament_sqlite',
      'type': 'static_library',
      'standalone_static_library': 1,
      'sources': ['native/store/sqlite_library.c'],
      'include_dirs': ['<(sqlite_dir)'],
      'conditions': [
        ['OS=="win"', {'msvs_settings': {'VCCLCompilerTool': {'WarningLevel': 0}}}],
        ['OS=="mac"', {'xcode_settings': {'GCC_OPTIMIZATION_LEVEL': '2', 'WARNING_CFLAGS': ['-w']}}],
        ['OS!="win" and OS!="mac"', {'cflags': ['-w', '-fPIC'], 'cflags_c': ['-O2']}],
      ],
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'lineament_avx2',
          'type': 'static_library',
          'standalone_static_library': 1,
          'sources': ['<@(avx2_sources)'],
          'conditions': [
            ['OS=="win"', {'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['<@(avx2_msvc)']}}},
             {'cflags_cc': ['<@(avx2_flags)', '-fPIC'], 'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx2_flags)']}}],
          ],
        },
        {
          'target_name': 'lineament_avx512',
          'type': 'static_library',
          'standalone_static_library': 1,
          'sources': ['<@(avx512_sources)'],
          'conditions': [
            ['OS=="win"', {'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['<@(avx512_msvc)']}}},
             {'cflags_cc': ['<@(avx512_flags)', '-fPIC'], 'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)']}}],
          ],
        },
        {
          'target_name': 'lineament_vnni',
          'type': 'static_library',
          'standalone_static_library': 1,
          'sources': ['<@(vnni_sources)'],
          'conditions': [
            ['OS=="win"', {'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['<@(vnni_msvc)']}}},
             {'cflags_cc': ['<@(vnni_flags)', '-fPIC'], 'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(vnni_flags)']}}],
          ],
        },
      ],
    }],
  ],
}
