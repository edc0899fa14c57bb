# systemd units, a socket and a service for each program, from the two templates beside this file.
# What a program needs beyond /etc/classclock/env is listed here, and only here.

# Secrets, by the file in /etc/classclock that holds them.
set(SECRETS_zoom_track auth)
set(SECRETS_zoom_teacher_left auth)
set(SECRETS_zoom_webhook zoom-webhook)
set(SECRETS_telegram_webhook auth telegram)
set(SECRETS_admin_teacher_sessions auth)
set(SECRETS_admin_deliveries auth)
set(SECRETS_admin_student_link telegram)
set(SECRETS_admin_teacher_link telegram)
set(SECRETS_teacher_student_link telegram)
set(SECRETS_teacher_teacher_link telegram)
set(SECRETS_teacher_sessions auth)
set(SECRETS_teacher_session auth)
set(SECRETS_teacher_send_link auth telegram zoom-api)
set(SECRETS_cron_session_timeout cron)

# Those that call Telegram or Zoom; all others reach nothing but PostgreSQL's Unix socket.
set(CALLS_OUT teacher_send_link admin_student_link admin_teacher_link teacher_student_link
              teacher_teacher_link)

# Those that write or replay the journal.
set(WRITES_JOURNAL zoom_track zoom_teacher_left cron_session_timeout)

set(NETWORK_NONE "PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any")
set(NETWORK_OUT "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6")

# Writes the units of program NAME to the build folder and installs them.
function(classclock_units NAME)
  set(PROGRAM ${CMAKE_INSTALL_FULL_LIBDIR}/classclock/cgi/${NAME})
  set(SECRET_FILES "")
  foreach(file ${SECRETS_${NAME}})
    string(APPEND SECRET_FILES "EnvironmentFile=-/etc/classclock/${file}\n")
  endforeach()
  set(NETWORK "${NETWORK_NONE}")
  if(NAME IN_LIST CALLS_OUT)
    set(NETWORK "${NETWORK_OUT}")
  endif()
  set(WRITES "")
  if(NAME IN_LIST WRITES_JOURNAL)
    set(WRITES "StateDirectory=classclock/journal\nStateDirectoryMode=0700")
  endif()
  set(MEMORY_MAX 256M)
  set(TASKS_MAX 32)
  if(NAME STREQUAL zoom_track)
    set(TASKS_MAX 256) # its threads
  endif()
  foreach(kind socket service)
    configure_file(${CMAKE_CURRENT_SOURCE_DIR}/cgi/classclock.${kind}.in
                   ${CMAKE_BINARY_DIR}/systemd/classclock-${NAME}.${kind} @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/systemd/classclock-${NAME}.${kind}
            DESTINATION lib/systemd/system COMPONENT operator)
  endforeach()
endfunction()
