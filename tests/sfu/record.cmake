# The recorder's tests; included by CMakeLists.txt beside it.
# SPDX-License-Identifier: MIT
foreach(name clock order depay)
  roda_test(sfu record_${name} roda_sfu PkgConfig::GLIB)
endforeach()
foreach(name session)
  roda_test(sfu record_${name} roda_sfu PkgConfig::GLIB PkgConfig::JANSSON)
endforeach()
