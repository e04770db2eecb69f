dnl Flags that are used only where the compiler and the linker take them.

dnl FS_TRY_FLAG(FLAG, VARIABLE, KIND, [IF-NOT]): append FLAG to VARIABLE where a program passes with it;
dnl KIND is COMPILE or LINK. -Werror, because clang only warns of a flag that it does not know.
AC_DEFUN([FS_TRY_FLAG],
  [AS_VAR_PUSHDEF([cached], [fs_cv_$3_$1])
   AC_CACHE_CHECK([whether $CC takes $1], [cached],
     [fs_try_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS -Werror $1"
      AC_$3_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cached], [yes])], [AS_VAR_SET([cached], [no])])
      CFLAGS=$fs_try_CFLAGS])
   AS_VAR_IF([cached], [yes], [AS_VAR_APPEND([$2], [" $1"])], [$4])
   AS_VAR_POPDEF([cached])])

dnl FS_COMPILE_FLAG(FLAG, VARIABLE, [IF-NOT]), FS_LINK_FLAG(FLAG, VARIABLE, [IF-NOT])
AC_DEFUN([FS_COMPILE_FLAG], [FS_TRY_FLAG([$1], [$2], [COMPILE], [$3])])
AC_DEFUN([FS_LINK_FLAG], [FS_TRY_FLAG([$1], [$2], [LINK], [$3])])

dnl FS_COMPILE_FLAGS(VARIABLE, FLAGS), FS_LINK_FLAGS(VARIABLE, FLAGS): each FLAG by itself.
AC_DEFUN([FS_COMPILE_FLAGS], [m4_foreach_w([fs_flag], [$2], [FS_COMPILE_FLAG(m4_defn([fs_flag]), [$1])
])])
AC_DEFUN([FS_LINK_FLAGS], [m4_foreach_w([fs_flag], [$2], [FS_LINK_FLAG(m4_defn([fs_flag]), [$1])
])])
