# The recorder's tests; included by CMakeLists.txt beside it.
# SPDX-License-Identifier: MIT
foreach(name clock order depay)
  roda_test(sfu record_${name} roda_sfu PkgConfig::GLIB)
endforeach()
roda_test(sfu record_file roda_sfu PkgConfig::GLIB PkgConfig::AVFORMAT)
foreach(name session kill disk sync)
  roda_test(sfu record_${name} roda_sfu PkgConfig::GLIB PkgConfig::JANSSON)
endforeach()
target_link_options(test_sfu_record_disk PRIVATE -Wl,--wrap=pwrite) # the test is the disk
roda_test(sfu record_call roda_puppet PkgConfig::JANSSON)
roda_test(sfu tap roda_puppet PkgConfig::JANSSON)
target_link_options(test_sfu_record_call PRIVATE -Wl,--wrap=pwrite)
