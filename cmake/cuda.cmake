# kernels/ needs the CUDA toolkit; everything else builds without it.
file(GLOB kernels CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/CMakeLists.txt")
if(BRINK_CUDA STREQUAL "OFF")
  message(STATUS "BRINK_CUDA=OFF: kernels/ is not built; everything else is")
elseif(NOT kernels)
  message(STATUS "kernels/ has nothing to build")
else()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 90)  # Hopper, the oldest GPU the microkernels are written for
    endif()
    set(CMAKE_CUDA_STANDARD 17)  # CMake 3.25 has no C++20 flag for nvcc and would inherit 20
    enable_language(CUDA)
    add_subdirectory(kernels)
  elseif(BRINK_CUDA STREQUAL "ON")
    message(FATAL_ERROR "BRINK_CUDA=ON, but no CUDA compiler was found: "
      "put nvcc on PATH, set CUDACXX, or configure with -DBRINK_CUDA=OFF")
  else()
    message(STATUS "CUDA toolkit not found: kernels/ is not built; everything else is")
  endif()
endif()
