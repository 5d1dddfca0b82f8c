# poolproof_system_calls(file)
# Writes the names of this architecture's system calls, as its headers have them, as entries
# {number, "name"}.
function(poolproof_system_calls file)
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -E -dM -x c -include asm/unistd.h /dev/null
    OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "#define __NR_[a-z0-9_]+ [0-9]+" defines "${macros}")
  set(entries "")
  foreach(define IN LISTS defines)
    string(REGEX REPLACE "#define __NR_([a-z0-9_]+) ([0-9]+)" "{\\2, \"\\1\"},\n" entry "${define}")
    string(APPEND entries "${entry}")
  endforeach()
  if(entries STREQUAL "")
    message(FATAL_ERROR "asm/unistd.h names no system calls (linux-libc-dev?)")
  endif()
  file(CONFIGURE OUTPUT ${file} CONTENT "${entries}" @ONLY)
endfunction()
