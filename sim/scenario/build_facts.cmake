# Writes build_facts.h: cmake -D source= -D output= -D version= -D compiler= -D simgrid= -P ...
set(revision "unknown")
find_program(git git)
if(git)
  # A dirty tree is another program than its commit.
  execute_process(COMMAND "${git}" describe --always --dirty --abbrev=12 WORKING_DIRECTORY "${source}"
    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0)
    set(revision "${found}")
  endif()
endif()
set(text "// Written by the build.
#pragma once
#define BRINK_VERSION \"${version}\"
#define BRINK_REVISION \"${revision}\"
#define BRINK_COMPILER \"${compiler}\"
#define BRINK_SIMGRID_VERSION \"${simgrid}\"
")
set(old "")
if(EXISTS "${output}")
  file(READ "${output}" old)
endif()
if(NOT old STREQUAL text)
  file(WRITE "${output}" "${text}")
endif()
