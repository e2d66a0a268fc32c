# kernels/ needs the CUDA toolkit for brink-kernels; everything else, the kernels' host logic and
# CPU references included, builds without it.
set(BRINK_HAVE_CUDA OFF)
if(BRINK_CUDA STREQUAL "OFF")
  message(STATUS "BRINK_CUDA=OFF: brink-kernels is not built; everything else is")
else()
  if(NOT DEFINED ENV{CUDACXX} AND NOT CMAKE_CUDA_COMPILER)
    # Where the toolkit installs itself; it does not put nvcc on PATH.
    find_program(BRINK_NVCC nvcc PATHS /usr/local/cuda/bin /opt/cuda/bin)
    if(BRINK_NVCC)
      set(ENV{CUDACXX} "${BRINK_NVCC}")
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 90)  # Hopper, the oldest GPU the microkernels are written for
    endif()
    set(CMAKE_CUDA_STANDARD 17)  # CMake 3.25 has no C++20 flag for nvcc and would inherit 20
    if(BRINK_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
      set(CMAKE_CUDA_COMPILER_LAUNCHER "${BRINK_CCACHE}")
    endif()
    enable_language(CUDA)
    set(BRINK_HAVE_CUDA ON)
  elseif(BRINK_CUDA STREQUAL "ON")
    message(FATAL_ERROR "No CUDA compiler was found, and brink-kernels was asked for: "
      "put nvcc on PATH, set CUDACXX, or configure with -DBRINK_CUDA=OFF")
  else()
    message(STATUS "CUDA toolkit not found: brink-kernels is not built; everything else is")
  endif()
endif()
add_subdirectory(kernels)
