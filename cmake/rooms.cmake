# A room is a folder with one job. Its .cpp files become the static library brink_<room>;
# a room without any is an interface library, so that headers alone are enough to link it.

# brink_add_rooms(<folder>...): adds every folder that is there.
function(brink_add_rooms)
  foreach(folder IN LISTS ARGN)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt")
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# brink_room(<room> [DEPS <room or Package::target>...]): the folder it is called from,
# subfolders included, except app/ which holds executables.
function(brink_room room)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "${CMAKE_CURRENT_SOURCE_DIR}/(app/|main\\.cpp$)")
  set(target brink_${room})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} brink_options)
  foreach(dependency IN LISTS arg_DEPS)
    if(NOT dependency MATCHES "::")
      set(dependency brink_${dependency})
    endif()
    target_link_libraries(${target} ${scope} ${dependency})
  endforeach()
endfunction()

# brink_executable(<name> FOLDER <folder> DEPS ...): <build>/<name> from <folder>/*.cpp, once
# <folder>/main.cpp is there.
function(brink_executable name)
  cmake_parse_arguments(arg "" "FOLDER" "DEPS" ${ARGN})
  file(GLOB main CONFIGURE_DEPENDS "${arg_FOLDER}/main.cpp")
  if(NOT main)
    return()
  endif()
  add_executable(${name} ${main})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  foreach(dependency IN LISTS arg_DEPS)
    if(NOT dependency MATCHES "::")
      set(dependency brink_${dependency})
    endif()
    target_link_libraries(${name} PRIVATE ${dependency})
  endforeach()
endfunction()
