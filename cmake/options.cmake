# Language, flags and switches that hold for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)  # the Python module links the static libraries
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(BRINK_TESTS "Build the tests" ON)
option(BRINK_PYTHON "Build the Python module brink._engine" OFF)
set(BRINK_CUDA "AUTO" CACHE STRING "Build kernels/: AUTO (when nvcc is found), ON or OFF")
set_property(CACHE BRINK_CUDA PROPERTY STRINGS AUTO ON OFF)
option(BRINK_KERNELS_ONLY "Build brink-kernels alone: needs only the CUDA toolkit" OFF)
if(BRINK_KERNELS_ONLY)
  set(BRINK_CUDA "ON" CACHE STRING "" FORCE)
endif()
set(BRINK_SANITIZE "" CACHE STRING "Sanitizers of every target, e.g. address,undefined")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
# -O2: the simulator is bound by memory and branches; -O3 only lengthens the build.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(BRINK_CCACHE ccache)
if(BRINK_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${BRINK_CCACHE}")
endif()

add_library(brink_options INTERFACE)
target_include_directories(brink_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(brink_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror>
  # A fused multiply-add on one machine and not on another would change results.
  $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)
if(BRINK_SANITIZE)
  target_compile_options(brink_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${BRINK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all>
    # g++ 12 reports uninitialised and dangling values that are not there when sanitizers are on.
    "$<$<COMPILE_LANGUAGE:CXX>:-Wno-error=maybe-uninitialized;-Wno-error=uninitialized>")
  target_link_options(brink_options INTERFACE -fsanitize=${BRINK_SANITIZE})
endif()
